"""Attacks on the HTTP port by raw sockets. Beside each of them a user of the unix socket is served and a feed is captured: he
notices nothing, no packet is missing, and the sensor's memory stays within a bound. Frames that break WebSocket's rules are those
of the Autobahn test suite, sections 1 to 7, as far as they concern a server that takes one binary message a stream."""

import contextlib
import random
import resource
import socket
import threading
import time

import feeding
import sensor
import web_client
from siege import SMALL_QUARANTINE, Siege
from web_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Refused, WebSocket, ask, basic, call
from web_test import WebTest

STATS = "/ws/netscope.v1.StatsService/WatchStats"
FLOWS = "/ws/netscope.v1.FlowService/WatchFlows"
MEGABYTE = 1 << 20
MOST_GROWN = 64 * MEGABYTE  # of memory, over an attack
HEAD = b"POST /netscope.v1.SensorService/GetStatus HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
FOLLOW = b"\x2a\x02\x10\x01"  # of WatchFlows: options.follow


class AttackTest(WebTest):
    def setUp(self):
        super().setUp()
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        self.summary = self.folder / "summary.json"
        self.local = self.folder / "web.sock"
        self.opened = contextlib.ExitStack()
        self.addCleanup(self.opened.close)

    def besiege(self, *arguments, headers=None):
        self.source = feeding.Feed(self.folder)
        self.addCleanup(self.source.end)
        self.running = self.serve("--flow-timeout-s", 1, "--udp-timeout-s", 1, "--web-socket", self.local, "--summary-json",
                                  self.summary, *arguments, capture=self.source.path, prefix=SMALL_QUARANTINE)

        def user():
            answer = call(self.local, "SensorService/GetStatus", headers=headers, timeout=60)
            self.assertEqual(answer.code, 200, answer.body)

        return Siege(self.source, self.running, user, self.await_packets)

    def judge(self, siege, most_grown=MOST_GROWN, headers=None):
        """The sensor serves on, on the port as well, has lost nothing, and took no more memory than it may."""
        self.assertLess(siege.most_bytes - siege.before_bytes, most_grown, f"after {siege.calls} calls")
        self.opened.close()
        sensor.until(lambda: self.serves(headers), 60, self.running.stderr)
        self.source.end()
        summary = self.end_closed(self.running, self.summary)
        self.assertEqual((summary["ledger"]["received"], summary["ledger"]["analysed"]), (siege.packets,) * 2)

    def serves(self, headers):
        try:
            return call(self.port, "SensorService/GetStatus", headers=headers).code == 200
        except (ConnectionError, TimeoutError, web_client.http.client.HTTPException):
            return False  # the port was full a moment ago

    def connect(self, content=b""):
        connection = self.opened.enter_context(socket.create_connection(("127.0.0.1", self.port), 20))
        if content:
            connection.sendall(content)
        return connection

    def open(self, path=STATS, **options):
        return self.opened.enter_context(WebSocket(self.port, path, **options))

    def refusals(self, reason):
        return self.metric(f'netscope_connections_refused_total{{listener="web",reason="{reason}"}}') or 0


def ask_quietly(port):
    with contextlib.suppress(ConnectionError):
        return ask(port, "GET", "/livez").code == 200
    return False


def is_closed(connection):
    """Whether the other end has closed it; what it sent is read."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            continue
        return True
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True


def dribble(connections, content, over):
    """A byte of `content` to each of them now and then, until all are closed, or it is over."""
    left = list(connections)
    while left and not over.wait(0.2):
        for connection in list(left):
            try:
                closed = is_closed(connection)
                if not closed:
                    connection.send(content)
            except OSError:
                closed = True
            if closed:
                left.remove(connection)
    return len(left)


class Slow(AttackTest):
    def test_heads_bodies_and_requests_that_never_come_to_an_end(self):
        """Slowloris on 200 connections, bodies on as many, and streams whose request does not come: none lasts half a minute."""
        siege = self.besiege("--web-max-connections", 700)
        with siege:
            slow = [self.connect(b"GET / HTTP/1.1\r\nHost: local") for _ in range(200)]
            slow += [self.connect(HEAD + b"Content-Length: 60000\r\n\r\n{") for _ in range(100)]
            slow += [self.connect(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{") for _ in range(100)]
            streams = [self.open().connection for _ in range(50)]
            over = threading.Event()
            timer = threading.Timer(60, over.set)
            timer.start()
            self.assertEqual(dribble(slow, b" ", over), 0, "dribbled for a minute")
            sensor.until(lambda: all([is_closed(stream) for stream in streams]), 60, lambda: "streams wait for their requests still")
            timer.cancel()
        self.assertGreaterEqual(self.refusals("request_timeout"), 200)
        self.judge(siege)

    def test_who_does_not_read_or_rests_is_ended_after_a_minute(self):
        """Answers, streams, and connections that ask once and dribble a second head: whatever the client does to look alive."""
        siege = self.besiege()
        self.source.flows(0, 3000, 1_700_000_000)
        siege.packets = 3000
        with siege:
            listing = b'{"page_size": 1000}'
            request = (b"POST /netscope.v1.FlowService/ListFlows HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(listing) + listing)
            unread = []
            for _ in range(40):
                connection = self.opened.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.connect(("127.0.0.1", self.port))
                connection.sendall(request * 3)
                unread.append(connection)
            streams = [self.open(FLOWS, receive_buffer=4096) for _ in range(20)]
            for stream in streams:
                stream.send(BINARY, FOLLOW)
            resting = [self.connect(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(40)]
            over = threading.Event()
            timer = threading.Timer(120, over.set)
            timer.start()
            self.assertEqual(dribble(resting, b"G", over), 0, "dribbled for two minutes")
            timer.cancel()
            sensor.until(lambda: self.metric('netscope_connections{listener="web"}') <= 1, 60, lambda: "they are there still")
        self.judge(siege, most_grown=2 * MOST_GROWN)


class Crowds(AttackTest):
    def crowd(self, count):
        return [self.connect() for _ in range(count)]

    def test_5000_idle_connections(self):
        siege = self.besiege("--web-max-connections", 6000)
        with siege:
            connections = self.crowd(5000)
            sensor.until(lambda: self.metric('netscope_connections_accepted_total{listener="web"}') + self.refusals("connections") >= 5000,
                         60, lambda: "not all are let in")  # where memory is short, most are refused
            sensor.until(lambda: self.metric('netscope_connections{listener="web"}') <= 2, 60, lambda: "they are there still")
            self.assertEqual(sum(map(is_closed, connections)), 5000)
        self.judge(siege, most_grown=256 * MEGABYTE)  # a sanitizer's allocations are larger

    def test_a_port_that_is_full_refuses_and_serves_again(self):
        siege = self.besiege()
        begun = HEAD + b"Content-Length: 60000\r\n\r\n{"
        with siege:
            for _ in range(3):
                for _ in range(400):
                    with contextlib.suppress(ConnectionError):
                        self.connect(begun)
            sensor.until(lambda: self.refusals("connections") >= 500, 60, lambda: str(self.refusals("connections")))
            sensor.until(lambda: self.serves(None), 60, lambda: "the port is full still")
        self.judge(siege)

    def test_who_rests_keeps_nobody_out(self):
        """Idle connections, and ones that asked: past three quarters of the places whoever has rested longest is ended."""
        running = self.serve("--metrics-max-connections", 16)
        with contextlib.ExitStack() as opened:
            for number in range(48):
                connection = opened.enter_context(socket.create_connection(("127.0.0.1", self.metrics_port), 20))
                if number % 2:
                    with contextlib.suppress(ConnectionError):  # faster than places become free
                        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        connection.recv(65536)
            sensor.until(lambda: ask_quietly(self.metrics_port), 20, running.stderr)
            for _ in range(20):
                self.assertEqual(ask(self.metrics_port, "GET", "/livez").code, 200)
        self.end(running)

    def test_each_entrance_has_its_places(self):
        """So many at the port, and as many at the unix socket, all of them answered; a few places for who has just left."""
        running = self.serve("--web-max-connections", 40, "--web-socket", self.local)
        half = HEAD + b"Content-Length: 2\r\n\r\n{"  # such a one is not at rest
        with contextlib.ExitStack() as opened:
            connections = []
            for family, address in [(socket.AF_INET, ("127.0.0.1", self.port))] * 36 + [(socket.AF_UNIX, str(self.local))] * 36:
                connection = opened.enter_context(socket.socket(family))
                connection.settimeout(20)
                connection.connect(address)
                connection.sendall(half)
                connections.append(connection)
            for connection in connections:
                connection.sendall(b"}")
            self.assertEqual([connection.recv(65536)[:12] for connection in connections], [b"HTTP/1.1 200"] * 72)
        self.end(running)

    def test_more_streams_than_there_may_be(self):
        """A caller has half of all streams, and the next one is told."""
        siege = self.besiege("--web-max-connections", 600)
        with siege:
            streams = [self.open(early=WebSocket.frame(BINARY)) for _ in range(500)]  # a request may take 10 s to come
            opcodes = [stream.receive() for stream in streams]
            refused = [payload for opcode, payload in opcodes if opcode == TEXT]
            self.assertTrue(refused and all(b"resource_exhausted" in payload for payload in refused), refused[:1])
            self.assertGreater(len(streams), len(refused))
        self.judge(siege, most_grown=2 * MOST_GROWN)


class Floods(AttackTest):
    def at_once(self, attack, count=8):
        attackers = [threading.Thread(target=attack) for _ in range(count)]
        for attacker in attackers:
            attacker.start()
        for attacker in attackers:
            attacker.join()

    def test_passwords(self):
        """A thousand from four at once; who was right before is served at his first try on the very port, again and again."""
        secret = basic("ann", "secret")
        siege = self.besiege("--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "secret", headers=secret)
        codes = []
        with siege:
            self.assertEqual(call(self.port, "SensorService/GetStatus", headers=secret).code, 200)
            attackers = [threading.Thread(target=lambda: codes.extend(
                ask(self.port, "GET", "/metrics", headers=basic("ann", str(number))).code for number in range(250))) for _ in range(4)]
            began = time.monotonic()
            for attacker in attackers:
                attacker.start()
            while any(attacker.is_alive() for attacker in attackers):
                self.assertEqual(call(self.port, "SensorService/GetStatus", headers=secret).code, 200)
            for attacker in attackers:
                attacker.join()
            took_s = time.monotonic() - began
        self.assertEqual((len(codes), set(codes)), (1000, {401, 429}))
        self.assertLessEqual(codes.count(401), 12 + took_s / 2)
        self.judge(siege, headers=secret)

    def test_pings_that_nobody_reads_the_answers_of(self):
        siege = self.besiege()
        ping = WebSocket.frame(PING, b"x" * 125) * 100

        def attack():
            for _ in range(5):
                with contextlib.suppress(OSError, Refused), WebSocket(self.port, STATS, timeout=3, receive_buffer=4096) as stream:
                    stream.send(BINARY)
                    for _ in range(500):
                        stream.connection.sendall(ping)

        with siege:
            self.at_once(attack)
        self.judge(siege)

    def test_requests_without_end(self):
        """Pipelined, and nobody reads the answers; tickets that nobody uses; heads of a megabyte."""
        siege = self.besiege()
        contents = [b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000,
                    b"POST /ticket HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" * 2000,
                    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * MEGABYTE + b"\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200_000 + b"\r\n",
                    b"GET /" + b"x" * MEGABYTE + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                    HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1;" + b"x" * MEGABYTE,
                    HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * 100_000,
                    HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n" + b"x" * MEGABYTE]

        def attack():
            for content in contents:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 3) as connection:
                    connection.sendall(content)

        with siege:
            self.at_once(attack)
        self.judge(siege, most_grown=2 * MOST_GROWN)

    def test_requests_in_pieces_of_a_byte(self):
        """What is kept of a request is its bytes, in however many frames they come."""
        siege = self.besiege()
        pieces = WebSocket.frame(BINARY, b"x", fin=False) + WebSocket.frame(CONTINUATION, b"x", fin=False) * 65_000
        with siege:
            streams = [self.open() for _ in range(60)]
            for stream in streams:
                with contextlib.suppress(OSError):
                    stream.connection.sendall(pieces)
            self.assertEqual({stream.closing_code() for stream in streams}, {1008})
        self.judge(siege)

    def test_noise(self):
        """Requests and frames with bytes that were changed, left out or put in, the same at each run."""
        siege = self.besiege()
        chance = random.Random(2023)
        handshake = (f"GET {STATS} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
        models = [HEAD + b"Content-Length: 2\r\n\r\n{}", HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                  b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain;q=0.5, */*\r\nAuthorization: Basic YTpi\r\n\r\n",
                  handshake + WebSocket.frame(BINARY, b"", fin=False) + WebSocket.frame(PING, b"hi") + WebSocket.frame(CONTINUATION) +
                  WebSocket.frame(CLOSE, b"\x03\xe8bye")]
        with siege:
            for _ in range(1500):
                content = bytearray(chance.choice(models))
                for _ in range(chance.choice((1, 1, 2, 8))):
                    at = chance.randrange(len(content))
                    content[at:at + chance.choice((0, 1, 1, 4))] = bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 1, 3))))
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 20) as connection:
                    connection.sendall(content)
                    connection.shutdown(socket.SHUT_WR)
                    web_client.read_all(connection)
        self.judge(siege)


class Frames(WebTest):
    """Autobahn's sections. A stream answers garbage by an error, which tells that the message came through."""

    def setUp(self):
        super().setUp()
        self.running = self.serve()

    def tearDown(self):
        self.assertEqual(call(self.port, "SensorService/GetStatus").code, 200)
        self.end(self.running)
        super().tearDown()

    def expect_close(self, sent, code, what, byte_by_byte=False):
        with self.subTest(what), WebSocket(self.port, STATS) as stream:
            for piece in ([bytes([byte]) for byte in sent] if byte_by_byte else [sent]):
                with contextlib.suppress(OSError):
                    stream.connection.sendall(piece)
            self.assertEqual(stream.closing_code(), code)

    def expect_message(self, sent, what, byte_by_byte=False):
        """It is taken for a request, which is no good one."""
        with self.subTest(what), WebSocket(self.port, STATS) as stream:
            for piece in ([bytes([byte]) for byte in sent] if byte_by_byte else [sent]):
                stream.connection.sendall(piece)
            frames = [stream.receive()]
            while frames[-1][0] == PONG:
                frames.append(stream.receive())
            self.assertEqual(frames[-1][0], TEXT)
            self.assertIn(b"invalid_argument", frames[-1][1])
            self.assertEqual(stream.closing_code(), 1000)
            return [payload for opcode, payload in frames if opcode == PONG]

    def test_1_sizes_of_messages(self):
        for size in (1, 125, 126, 127, 128, 4096, 65535, 65536):
            self.expect_message(WebSocket.frame(BINARY, b"\xff" * size), size)
        self.expect_message(WebSocket.frame(BINARY, b"\xff" * 300), "byte by byte", byte_by_byte=True)
        self.expect_close(WebSocket.frame(BINARY, b"\xff" * 65537), 1009, 65537)
        for size in (1 << 31, 1 << 62):
            self.expect_close(bytes([0x82, 0xff]) + size.to_bytes(8, "big") + b"mask" + b"x", 1009, size)
        self.expect_close(bytes([0x82, 0xff]) + (1 << 63).to_bytes(8, "big") + b"mask" + b"x", 1002, "the highest bit is not a length's")
        self.expect_close(bytes([0x82, 0xfe]) + (125).to_bytes(2, "big") + b"mask" + b"x" * 125, 1002, "a longer length than is needed")

    def test_2_pings(self):
        with WebSocket(self.port, STATS) as stream:
            for payload in (b"", b"hello", bytes(range(256))[:125], b"\x00\xff\xfe", b"x" * 125):
                stream.send(PING, payload)
                self.assertEqual(stream.receive(), (PONG, payload))
            stream.send(PONG, b"unsolicited")
            stream.connection.sendall(b"".join(WebSocket.frame(PING, str(number).encode()) for number in range(10)))
            for number in range(10):
                self.assertEqual(stream.receive(), (PONG, str(number).encode()))
            for byte in WebSocket.frame(PING, b"in pieces"):
                stream.connection.sendall(bytes([byte]))
            self.assertEqual(stream.receive(), (PONG, b"in pieces"))
        self.expect_close(WebSocket.frame(PING, b"x" * 126), 1002, "a long one")
        self.expect_close(WebSocket.frame(PING) * 100, 1008, "too many")

    def test_3_reserved_bits(self):
        for bits in range(1, 8):
            for opcode in (TEXT, BINARY, PING, PONG, CLOSE):
                self.expect_close(WebSocket.frame(opcode, b"", rsv=bits), 1002, (bits, opcode))
        self.expect_close(WebSocket.frame(PING, b"x") + WebSocket.frame(BINARY, b"x", rsv=1), 1002, "behind a good one")

    def test_4_opcodes(self):
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            for payload in (b"", b"hello"):
                self.expect_close(WebSocket.frame(opcode, payload), 1002, (opcode, payload))
        self.expect_close(WebSocket.frame(BINARY, b"", masked=False), 1002, "not masked")

    def test_5_fragments(self):
        frame = WebSocket.frame
        for opcode in (PING, PONG, CLOSE):
            self.expect_close(frame(opcode, b"x", fin=False), 1002, ("a control in pieces", opcode))
        for pieces in (2, 3, 50):
            sent = frame(BINARY, b"\xff", fin=False) + b"".join(frame(CONTINUATION, b"\xff", fin=False) for _ in range(pieces - 2))
            self.expect_message(sent + frame(CONTINUATION, b"\xff"), pieces)
            self.expect_message(sent + frame(CONTINUATION, b"\xff"), (pieces, "byte by byte"), byte_by_byte=True)
            pongs = self.expect_message(sent + frame(PING, b"between") + frame(CONTINUATION, b"\xff"), "a ping between")
            self.assertEqual(pongs, [b"between"])
        for fin in (True, False):
            self.expect_close(frame(CONTINUATION, b"x", fin=fin) + frame(BINARY, b"x"), 1002, ("continues nothing", fin))
        self.expect_close(frame(BINARY, b"x", fin=False) + frame(BINARY, b"x"), 1002, "a message within another")
        self.expect_close(frame(BINARY, b"x", fin=False) + frame(TEXT, b"x", fin=False), 1002, "a text within another")
        self.expect_close(frame(BINARY, b"x" * 40000, fin=False) + frame(CONTINUATION, b"x" * 40000), 1009, "too long in pieces")
        self.expect_close(frame(BINARY, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 30 + frame(CLOSE, b"\x03\xe8"), 1000,
                          "empty pieces")
        self.expect_close(frame(BINARY, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 10_000, 1008, "of which there are many")

    def test_5_messages_behind_the_request(self):
        """Refused by their first frame: one without an end never gets to be a message."""
        for opcode, fin in ((BINARY, True), (TEXT, True), (BINARY, False)):
            with self.subTest((opcode, fin)), WebSocket(self.port, STATS) as stream:
                stream.send(BINARY)
                self.assertEqual(stream.receive()[0], BINARY)
                stream.send(opcode, fin=fin)
                frames = (stream.receive() for _ in range(20))  # its own messages come on
                self.assertIn((CLOSE, (1008).to_bytes(2, "big")), ((opcode, payload[:2]) for opcode, payload in frames))

    def test_6_texts(self):
        """None is a request; those that are no UTF-8 are told so."""
        for good in ("", "hello", "κόσμε", "\U0010ffff", "\ufffe", "\x00"):
            self.expect_close(WebSocket.frame(TEXT, good.encode()), 1003, good)
        for bad in (b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", b"\xf8\x88\x80\x80\x80", b"\xc0\xaf", b"\xe0\x80\xaf",
                    b"\xf4\x90\x80\x80", b"\x80", b"\xbf", b"\xfe", b"\xff", b"\xc3", b"\xed\xad\xbf", b"\xe1\xbd"):
            self.expect_close(WebSocket.frame(TEXT, bad), 1007, bad)
        self.expect_close(WebSocket.frame(TEXT, b"\xed\xa0\x80", fin=False), 1007, "at the first piece")
        split = WebSocket.frame(TEXT, b"\xce", fin=False) + WebSocket.frame(CONTINUATION, b"\xba")
        self.expect_close(split, 1003, "a character in two pieces")

    def test_7_closing(self):
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            self.expect_close(WebSocket.frame(CLOSE, code.to_bytes(2, "big")), code, code)
        self.expect_close(WebSocket.frame(CLOSE, b"\x03\xe8" + b"x" * 123), 1000, "the longest reason")
        self.expect_close(WebSocket.frame(CLOSE), None, "without a code")
        self.expect_close(WebSocket.frame(CLOSE, b"\x03"), 1002, "with half a code")
        self.expect_close(WebSocket.frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002, "with a reason that is too long")
        self.expect_close(WebSocket.frame(CLOSE, b"\x03\xe8\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), 1007, "with a reason that is no UTF-8")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1100, 2000, 2999, 5000, 65535):
            self.expect_close(WebSocket.frame(CLOSE, code.to_bytes(2, "big")), 1002, code)
        for what, behind in (("again", WebSocket.frame(CLOSE, b"\x03\xe8")), ("and a ping", WebSocket.frame(PING, b"x")),
                             ("and a message", WebSocket.frame(BINARY, b"x")), ("and 256 kB", WebSocket.frame(BINARY, b"x" * 60000) * 4)):
            with self.subTest(what), WebSocket(self.port, STATS) as stream:
                with contextlib.suppress(OSError):
                    stream.connection.sendall(WebSocket.frame(CLOSE, b"\x03\xe8") + behind)
                self.assertEqual(stream.receive(), (CLOSE, b"\x03\xe8"))
                with self.assertRaises((EOFError, ConnectionError)):
                    stream.receive()
        with WebSocket(self.port, STATS) as stream:  # in the middle of a message
            stream.connection.sendall(WebSocket.frame(BINARY, b"x", fin=False) + WebSocket.frame(CLOSE, b"\x03\xe8"))
            self.assertEqual(stream.closing_code(), 1000)


if __name__ == "__main__":
    sensor.main()
