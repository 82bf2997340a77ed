"""Attacks on the gRPC port by raw sockets. Beside each of them a user of the unix socket is served and a feed is captured:
he notices nothing, no packet is missing, and the sensor's memory stays within a bound."""

import contextlib
import gzip
import os
import random
import resource
import select
import socket
import ssl
import struct
import threading
import time

import feeding
import grpc_client
import http2_frames as h2
import sensor
from certificates import Authority
from serving import ServerTest, code_of
from siege import SMALL_QUARANTINE, YEAR_2023, Siege

grpc = grpc_client.grpc
MEGABYTE = 1 << 20
MOST_GROWN = 64 * MEGABYTE  # of memory, over an attack
STATUS = "/netscope.v1.SensorService/GetStatus"
CHECK = "/grpc.health.v1.Health/Check"


class AttackTest(ServerTest):
    def setUp(self):
        super().setUp()
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        self.summary = self.folder / "summary.json"

    def besiege(self, *arguments):
        self.source, self.running = self.feed("--summary-json", self.summary, *arguments, prefix=SMALL_QUARANTINE)
        sensor.until(self.socket.exists, 20, self.running.stderr)
        user = self.local()
        return Siege(self.source, self.running, lambda: user.call("GetStatus", timeout=60),
                           lambda count: self.await_packets(count, user))

    def judge(self, besieged, client=None):
        """The sensor serves on, has lost nothing, and took no more memory than it may."""
        self.assertLess(besieged.most_bytes - besieged.before_bytes, MOST_GROWN, f"after {besieged.calls} calls")
        self.assertTrue((client or self.client()).call("GetStatus").instance_id)
        self.source.end()
        summary = self.end_closed(self.running, self.summary)
        self.assertEqual((summary["ledger"]["received"], summary["ledger"]["analysed"]), (besieged.packets,) * 2)

    def connect(self, **options):
        connection = h2.Connection(self.port, **options)
        self.addCleanup(connection.close)
        return connection


class Floods(AttackTest):
    def flood(self, content, times=100_000):
        """Sends it again and again, and reads, until the door closes. Returns the codes of GOAWAYs."""
        with h2.Connection(self.port) as connection:
            over = threading.Event()

            def send():
                for _ in range(times):
                    if over.is_set() or not connection.try_send(content):
                        break

            sender = threading.Thread(target=send)
            sender.start()
            codes = connection.await_close()
            over.set()
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
            sender.join()
            return codes

    @staticmethod
    def at_once(attack):
        attackers = [threading.Thread(target=attack) for _ in range(20)]
        for attacker in attackers:
            attacker.start()
        for attacker in attackers:
            attacker.join()

    def reset_rapidly(self, pairs, comes_again=True):
        """So many streams begun and reset, on one connection, or on as many after one another as that takes."""
        stream, sent, connections = 1, 0, 1
        block = h2.request_block(STATUS)
        connection = h2.Connection(self.port)
        while sent < pairs:
            burst = b"".join(h2.frame(h2.HEADERS, block, h2.END_HEADERS, number)
                             + h2.frame(h2.RST_STREAM, struct.pack(">I", 8), stream=number)
                             for number in range(stream, stream + 400, 2))
            stream, sent = stream + 400, sent + 200
            if not connection.try_send(burst) and not comes_again:
                break
            if comes_again and connection.has_ended():
                connection.close()
                connection, stream, connections = h2.Connection(self.port), 1, connections + 1
        if not comes_again:
            self.assertIn(connection.await_close(), ([h2.ENHANCE_YOUR_CALM], []))
        connection.close()
        return connections

    def test_rapid_resets(self):
        siege = self.besiege()
        with siege:
            self.reset_rapidly(100_000, comes_again=False)
            self.assertGreater(self.reset_rapidly(100_000), 10)
            self.at_once(lambda: self.reset_rapidly(5000))
        self.judge(siege)

    def test_calls_that_are_cancelled_at_once(self):
        """Whole requests, so that handlers run, and a cancellation right behind each."""
        siege = self.besiege()
        with siege:
            for _ in range(20):
                with h2.Connection(self.port) as connection:
                    for stream in range(1, 1800, 2):
                        path = ("/netscope.v1.FlowService/ListFlows", "/netscope.v1.FlowService/WatchFlows")[stream // 2 % 2]
                        if not connection.try_send(h2.call(stream, path) + h2.frame(
                                h2.RST_STREAM, struct.pack(">I", 8), stream=stream)):
                            break
        self.judge(siege)

    def test_floods_of_frames_end_with_a_word(self):
        siege = self.besiege()
        settings = h2.frame(h2.SETTINGS, struct.pack(">HI", 3, 100))
        kinds = {
            "ping": h2.frame(h2.PING, bytes(8)), "settings": settings,
            "acknowledgements": h2.frame(h2.SETTINGS, flags=h2.ACK),
            "priority": h2.frame(h2.PRIORITY, bytes(5), stream=1), "unknown": h2.frame(77, b"x", stream=1),
            "window": h2.frame(h2.WINDOW_UPDATE, struct.pack(">I", 1)),
        }
        with siege:
            for name, content in kinds.items():
                with self.subTest(name):
                    self.assertTrue(self.flood(content * 500), "no word")  # ours, or the core's own complaint
            self.at_once(lambda: self.flood(kinds["ping"] * 500))
        self.judge(siege)

    def test_header_blocks_without_end(self):
        siege = self.besiege()
        begin = h2.frame(h2.HEADERS, h2.request_block(CHECK), 0, 1)
        with siege:
            for payload, times in ((b"", 100_000), (b"\x00\x01a\x01b" * 3000, 6000), (b"x" * 16384, 5000)):
                with self.subTest(payload=len(payload)), h2.Connection(self.port) as connection:
                    connection.send(begin)
                    continuation = h2.frame(h2.CONTINUATION, payload, 0, 1)
                    for _ in range(times):
                        if not connection.try_send(continuation):
                            break
                    self.assertIn(connection.await_close(), ([h2.ENHANCE_YOUR_CALM], []))
        self.judge(siege)

    def test_who_does_not_read_is_not_read_from(self):
        """Pings and calls whose answers nobody takes: the sockets fill up, and that is all."""
        siege = self.besiege()
        connections = []
        with siege:
            for content in (h2.frame(h2.PING, bytes(8)) * 100, h2.frame(h2.SETTINGS) * 10):
                for _ in range(20):
                    connection = self.connect(timeout=1)
                    connections.append(connection)
                    with contextlib.suppress(TimeoutError):
                        for _ in range(20):
                            if not connection.try_send(content):
                                break
            time.sleep(2)
        for connection in connections:
            connection.close()
        self.judge(siege)

    def test_resets_of_connections(self):
        siege = self.besiege()
        with siege:
            for number in range(2000):
                connection = h2.Connection(self.port, greets=number % 2 == 0)
                if number % 4 == 0:
                    connection.try_send(h2.call(1, STATUS))
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
        self.judge(siege)


class Slowness(AttackTest):
    def test_what_is_never_complete_is_closed(self):
        """All at once, for each of them has some twenty seconds. A byte now and then renews nothing."""
        siege = self.besiege()
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)
        begins = {
            "nothing": (b"", b""), "preface dribbles": (b"P", h2.PREFACE[1:]), "half a preface": (h2.PREFACE[:12], b""),
            "greeting alone": (h2.PREFACE + h2.frame(h2.SETTINGS), b""),
            "pings alone": (h2.PREFACE + h2.frame(h2.SETTINGS), h2.frame(h2.PING, bytes(8)) * 100),
            "headers dribble": (h2.PREFACE + h2.frame(h2.SETTINGS) + b"\x00\x40\x00\x01\x00\x00\x00\x00\x01", b"\x00" * 200),
            "TLS in vain": (hello, b""), "HTTP/1": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b""),
            "upgrade": (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", b""),
            "garbage": (random.Random(7).randbytes(5000), b""),
        }
        with siege:
            open_still = {}
            for name, (first, rest) in begins.items():
                connection = self.connect(greets=False)
                connection.try_send(first)
                open_still[connection.socket] = [name, connection, rest]
            deadline = time.monotonic() + 60
            while open_still and time.monotonic() < deadline:
                for one in select.select(list(open_still), [], [], 0.5)[0]:
                    with contextlib.suppress(ConnectionResetError):
                        if one.recv(65536):
                            continue
                    del open_still[one]
                for entry in open_still.values():
                    entry[2] = entry[2][1:] if entry[1].try_send(entry[2][:1]) else b""
            self.assertEqual([name for name, _, _ in open_still.values()], [])
        self.judge(siege)

    def test_slow_handshakes(self):
        authority = Authority(self.folder, "ours")
        certificate, key = authority.sign("server", "IP:127.0.0.1")
        siege = self.besiege("--grpc-tls", "--grpc-tls-cert", certificate, "--grpc-tls-key", key)
        hello = ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
        hello = hello.read()
        with siege:
            slow = [self.connect(greets=False) for _ in range(100)]
            for number, connection in enumerate(slow):
                connection.send(hello[:(0, 1, 5, len(hello) - 1, len(hello))[number % 5]])
            credentials = grpc.ssl_channel_credentials(authority.pem)
            self.assertTrue(self.client(credentials=credentials).call("GetStatus").instance_id)
            for connection in slow:
                connection.await_close()
        self.judge(siege, self.client(credentials=credentials))

    def test_a_slow_client_is_served_byte_by_byte(self):
        siege = self.besiege()
        with siege, self.connect() as connection:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            content = h2.call(1, CHECK)
            for at in range(len(content)):
                connection.send(content[at:at + 1])
            self.assertEqual(connection.await_kind(h2.DATA)[3][5:], b"\x08\x01")
        self.judge(siege)


class Sizes(AttackTest):
    def test_a_message_of_100_mb(self):
        siege = self.besiege()
        with siege:
            for prefix in (struct.pack(">BI", 0, 100_000_000), struct.pack(">BI", 0, 0xFFFFFFFF), b""):
                connection = self.connect()
                connection.send(h2.frame(h2.HEADERS, h2.request_block(STATUS), h2.END_HEADERS, 1))
                receiver = threading.Thread(target=connection.await_close)
                receiver.start()
                part, sent = h2.frame(h2.DATA, (prefix + bytes(16384))[:16384], 0, 1), 0
                while sent < 100_000_000 and connection.try_send(part):
                    part, sent = h2.frame(h2.DATA, bytes(16384), 0, 1), sent + 16384
                with contextlib.suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)
                receiver.join()
        self.judge(siege)

    def test_a_message_that_grows_when_it_is_opened(self):
        siege = self.besiege()
        bomb = gzip.compress(bytes(60 * MEGABYTE))
        self.assertLess(len(bomb), 65536)
        message = b"\x01" + struct.pack(">I", len(bomb)) + bomb
        with siege:
            connection = self.connect()
            for stream in range(1, 41, 2):
                content = h2.frame(h2.HEADERS, h2.request_block(STATUS, (b"grpc-encoding", b"gzip")), h2.END_HEADERS, stream)
                for at in range(0, len(message), 16384):
                    last = at + 16384 >= len(message)
                    content += h2.frame(h2.DATA, message[at:at + 16384], h2.END_STREAM if last else 0, stream)
                if not connection.try_send(content):
                    break
            ended = 0
            for kind, flags, _, _ in connection.frames():
                ended += kind == h2.RST_STREAM or (kind == h2.HEADERS and flags & h2.END_STREAM != 0)
                if ended == 20:
                    break
            stub = self.client().channel.unary_unary(STATUS, bytes, bytes)
            for way in (grpc.Compression.Gzip, grpc.Compression.Deflate):
                error = code_of(lambda way=way: stub(bytes(1000), compression=way, timeout=20))
                self.assertEqual(error.code().name, "UNIMPLEMENTED")
        self.judge(siege)

    def test_many_large_headers(self):
        siege = self.besiege()
        large = [(b"x-%d" % number, b"y" * 8000) for number in range(8)]
        with siege:
            for fields in (large[:1], large[:3], large[:7], large):
                with self.connect() as connection:
                    for stream in range(1, 201, 2):
                        block = h2.request_block(CHECK, *fields)
                        parts = [block[at:at + 16384] for at in range(0, len(block), 16384)]
                        content = b"".join(h2.frame(h2.CONTINUATION if number else h2.HEADERS, part,
                                                    h2.END_HEADERS if number == len(parts) - 1 else 0, stream)
                                           for number, part in enumerate(parts))
                        if not connection.try_send(content + h2.frame(h2.DATA, bytes(5), h2.END_STREAM, stream)):
                            break
        self.judge(siege)


class Crowds(AttackTest):
    def alive(self, connections):
        """Those that were not closed by the other side."""
        poll, left = select.poll(), {one.fileno(): one for one in connections}
        for one in connections:
            poll.register(one, select.POLLIN | select.POLLHUP)
        for number, _ in poll.poll(0):
            with contextlib.suppress(ConnectionResetError):
                if left[number].recv(1 << 16):
                    continue
            left.pop(number)
        return list(left.values())

    def crowd(self, count):
        connections = []
        for _ in range(count):
            one = socket.socket()
            self.addCleanup(one.close)
            one.settimeout(20)
            one.connect(("127.0.0.1", self.port))
            connections.append(one)
        return connections

    def await_alive(self, connections, count):
        sensor.until(lambda: len(self.alive(connections)) <= count, 30,
                     lambda: f"{len(self.alive(connections))} live on")
        self.assertEqual(len(self.alive(connections)), count)

    def test_10000_connections(self):
        count = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
        siege = self.besiege()
        with siege:
            connections = self.crowd(count)
            self.await_alive(connections, 512)
            late = self.client(waits=False)
            self.assertEqual(code_of(lambda: late.call("GetStatus", timeout=5)).code().name, "UNAVAILABLE")
            self.assertTrue(self.local().call("GetStatus").instance_id)  # another one, by the socket
            for one in connections:
                one.close()
            self.assertTrue(self.client().call("GetStatus").instance_id)
        self.judge(siege)

    def test_who_fills_the_socket_does_not_close_the_port(self):
        siege = self.besiege("--grpc-max-connections", 8)
        with siege:
            crowd = [h2.Connection(self.socket) for _ in range(20)]
            sensor.until(lambda: len(self.alive([one.socket for one in crowd])) <= 7, 20, lambda: "more are served")
            self.assertTrue(self.client().call("GetStatus").instance_id)
            for one in crowd:
                one.close()
        self.judge(siege)

    def test_no_descriptor_is_left(self):
        siege = self.besiege()
        with siege:
            pid = self.running.process.pid
            stream = self.client().watch("WatchAlerts", options={"follow": True, "heartbeat_interval": {"seconds": 1}})
            next(stream)
            _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 20, hard))
            for _ in range(3):
                connections = self.crowd(100)
                sensor.until(lambda: len(self.alive(connections)) < 100, 30, lambda: "nobody was turned away")
                self.assertTrue(next(stream).HasField("heartbeat"))
                for one in connections:
                    one.close()
                self.assertTrue(self.client().call("GetStatus").instance_id)
        self.judge(siege)


class Waits(AttackTest):
    def test_calls_whose_requests_never_come(self):
        """They take no token: calls to the health service, begun and left."""
        siege = self.besiege("--grpc-tokens-file", self.write_tokens(("somebody", "viewer", "secret")))
        blocks = [h2.request_block(path) for path in (CHECK, "/grpc.health.v1.Health/Watch", "/no.Such/Method")]
        with siege:
            crowd = []
            for number in range(300):
                connection = self.connect()
                crowd.append(connection)
                connection.try_send(b"".join(h2.frame(h2.HEADERS, blocks[number % 3], h2.END_HEADERS, stream)
                                             for stream in range(1, 161, 2)))
            late = self.connect()
            late.send(h2.call(1, CHECK))
            self.assertEqual(late.await_kind(h2.DATA)[3][5:], b"\x08\x01")
        for connection in crowd:
            connection.close()
        self.judge(siege, self.local())


class Readers(AttackTest):
    def test_half_of_a_hundred_streams_are_not_read(self):
        """Memory grows by no more than what waits for readers may take (docs/api.md: 64 MiB for all streams), the core's own
        quota (64 MiB), and one batch a stream under way (64 KiB in four places: core, both sockets, the door)."""
        count = 10_000
        total = count + count // 500 - 1  # the last of those that end the others does not end
        siege = self.besiege("--events-capacity", 2000)
        before = siege.resident()
        options = {"follow": True, "batch": {"max_bytes": 65536}}
        wanted = {"view": "FLOW_VIEW_BASIC", "options": options}
        groups = []
        for kind in range(2):
            group = [self.client(options=[("grpc.http2.lookahead_bytes", 65536), ("grpc.use_local_subchannel_pool", 1)])
                     for _ in range(10)]
            groups.append([group[number % 10].watch("WatchFlows", timeout=200, **wanted) for number in range(50)])
        stalled, read = groups
        for stream in (*stalled, *read):
            self.assertTrue(next(stream).instance_id)
        most, totals = [0], [0] * 50
        readers = [threading.Thread(target=self.count, args=(stream, total, totals, number))
                   for number, stream in enumerate(read)]
        for reader in readers:
            reader.start()
        now = YEAR_2023
        for sent in range(0, count, 500):  # not so fast that the log laps anybody: then numbers are not exact
            self.source.flows(sent, 500, now, step=0.0001)
            self.source.flows(1_000_000 + sent, 1, now + 5)  # ends those before
            now += 10
            sensor.until(lambda sent=sent: min(totals) >= sent + sent // 500 + 500 and not most.append(siege.resident()), 60,
                         lambda: f"after {sent} flows some had {min(totals)} events: {self.running.stderr()}")
        for reader in readers:
            reader.join()
        bound = (64 + 64) * MEGABYTE + 100 * 4 * 65536
        self.assertLess(max(most) - before, bound)
        learned = [0] * 50
        for number, stream in enumerate(stalled):
            self.count(stream, total, learned, number)
        self.assertEqual(learned, [total] * 50)
        self.source.end()
        summary = self.end_closed(self.running, self.summary)
        self.assertEqual(summary["ledger"]["analysed"], count + count // 500)

    @staticmethod
    def count(stream, until, totals, number):
        """Events of the stream, and those that it says are missing; the exact number."""
        for message in stream:
            totals[number] += len(message.events)
            totals[number] += sum(gap.count for gap in message.gaps if gap.count_known)
            if totals[number] >= until or any(not gap.count_known for gap in message.gaps):
                return


def malformed():
    """Bytes that are no request of any method, by what is wrong with them."""
    deep = b""
    for _ in range(40):
        deep = b"\x0a" + bytes([len(deep)]) + deep if len(deep) < 128 else deep
    return {
        "number without end": b"\x08" + b"\xff" * 20, "length without end": b"\x0a" + b"\xff" * 20,
        "longer than there is": b"\x0a\x7fab", "enormous": b"\x0a\xff\xff\xff\xff\x0f", "field 0": b"\x02\x00",
        "group": b"\x0b\x0c", "group without end": b"\x0b", "wire type 6": b"\x0e\x00", "wire type 7": b"\x0f",
        "tag alone": b"\x08", "unknown field": b"\xf8\x07\x01", "highest field": b"\xf8\xff\xff\xff\x0f\x01",
        "eight bytes cut": b"\x09\x01\x02", "four bytes cut": b"\x0d\x01", "deep": deep, "noise": bytes(range(256)),
        "overlong tag": b"\x88\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x01",
    }


class Malformed(AttackTest):
    REFUSALS = ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")

    def test_requests(self):
        siege = self.besiege("--grpc-role", "operator")
        with siege:
            client = self.client()
            for path, _, _, _ in grpc_client.methods():
                for name, content in malformed().items():
                    with self.subTest(method=path, what=name):
                        self.assertIn(code_of(lambda path=path, content=content: client.raw(path, content)).code().name,
                                      self.REFUSALS)
        self.judge(siege)

    def answer(self, content):
        """The status that trailers or a reset tell; None when the connection ends without."""
        with self.connect() as connection:
            connection.send(content)
            for kind, flags, _, payload in connection.frames():
                if kind == h2.HEADERS and flags & h2.END_STREAM:
                    return payload
                if kind == h2.RST_STREAM:
                    return payload
        return None

    def test_messages(self):
        """What is wrong around a request: lengths, flags, how many there are."""
        siege = self.besiege()
        head = h2.frame(h2.HEADERS, h2.request_block(STATUS), h2.END_HEADERS, 1)
        whole = b"\x00\x00\x00\x00\x00"
        contents = {
            "no message": head + h2.frame(h2.DATA, b"", h2.END_STREAM, 1),
            "headers alone": h2.frame(h2.HEADERS, h2.request_block(STATUS), h2.END_HEADERS | h2.END_STREAM, 1),
            "half a length": head + h2.frame(h2.DATA, b"\x00\x00", h2.END_STREAM, 1),
            "shorter than it says": head + h2.frame(h2.DATA, b"\x00\x00\x00\x00\x09ab", h2.END_STREAM, 1),
            "compressed by nothing": head + h2.frame(h2.DATA, b"\x01\x00\x00\x00\x02ab", h2.END_STREAM, 1),
            "unknown flag": head + h2.frame(h2.DATA, b"\xff\x00\x00\x00\x00", h2.END_STREAM, 1),
            "two messages": head + h2.frame(h2.DATA, whole * 2, h2.END_STREAM, 1),
            "ten thousand messages": head + h2.frame(h2.DATA, whole * 3000) + h2.frame(h2.DATA, whole, h2.END_STREAM, 1),
            "broken compression": h2.frame(h2.HEADERS, h2.request_block(STATUS, (b"grpc-encoding", b"gzip")),
                                           h2.END_HEADERS, 1)
            + h2.frame(h2.DATA, b"\x01\x00\x00\x00\x04abcd", h2.END_STREAM, 1),
            "unknown compression": h2.frame(h2.HEADERS, h2.request_block(STATUS, (b"grpc-encoding", b"\xff")),
                                            h2.END_HEADERS, 1) + h2.frame(h2.DATA, whole, h2.END_STREAM, 1),
            "odd deadline": h2.frame(h2.HEADERS, h2.request_block(STATUS, (b"grpc-timeout", b"-1x")), h2.END_HEADERS, 1)
            + h2.frame(h2.DATA, whole, h2.END_STREAM, 1),
            "no path": h2.frame(h2.HEADERS, h2.field(b":method", b"POST"), h2.END_HEADERS, 1),
            "GET": h2.frame(h2.HEADERS, h2.request_block(STATUS).replace(b"POST", b"GETS"), h2.END_HEADERS, 1),
            "index that is none": h2.frame(h2.HEADERS, b"\xff\xff\xff\xff\x0f", h2.END_HEADERS | h2.END_STREAM, 1),
            "table of 4 GB": h2.frame(h2.HEADERS, b"\x3f\xff\xff\xff\xff\x0f", h2.END_HEADERS | h2.END_STREAM, 1),
            "even stream": h2.call(2, STATUS), "stream 0": h2.call(0, STATUS),
            "push": h2.frame(h2.PUSH_PROMISE, bytes(4), h2.END_HEADERS, 1),
            "window of 0": head + h2.frame(h2.WINDOW_UPDATE, bytes(4), stream=1),
            "window too far": head + h2.frame(h2.WINDOW_UPDATE, b"\x7f\xff\xff\xff", stream=0) * 3,
            "data for nobody": h2.frame(h2.DATA, b"x" * 100, 0, 99),
            "settings of 5": h2.frame(h2.SETTINGS, bytes(5)), "ping of 7": h2.frame(h2.PING, bytes(7)),
            "window of 2^32": h2.frame(h2.SETTINGS, struct.pack(">HI", 4, 0xFFFFFFFF)),
            "goaway": h2.frame(h2.GOAWAY, bytes(8)), "padding": h2.frame(h2.HEADERS, b"\xff" + b"x", 0xC, 1),
        }
        with siege:
            for name, content in contents.items():
                with self.subTest(name), self.connect() as connection:
                    connection.send(content)
                    with contextlib.suppress(OSError):
                        connection.socket.shutdown(socket.SHUT_WR)
                    for _ in connection.frames():
                        pass
        self.judge(siege)

    def test_noise(self):
        """Any bytes behind a greeting; a seed tells which."""
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        siege = self.besiege()
        with siege, self.subTest(seed=seed):
            for _ in range(300):
                with h2.Connection(self.port) as connection:
                    for _ in range(chance.randrange(1, 20)):
                        noise = chance.randbytes(chance.choice((0, 1, 4, 5, 8, 30, 300, 5000)))
                        kind, flags = chance.randrange(12), chance.choice((0, 1, 4, 5, 8, 0x24, 0xFF))
                        if chance.random() < 0.3:
                            kind, noise, flags = h2.HEADERS, h2.request_block(chance.choice((STATUS, CHECK))) + noise[:9], 4
                        if not connection.try_send(h2.frame(kind, noise, flags, chance.choice((0, 1, 1, 3, 3, 5, 2, 1 << 30)))):
                            break
        self.judge(siege)


if __name__ == "__main__":
    sensor.main()
