"""SIGTERM and SIGINT at each stage of a sensor that serves: it ends in order, with code 0, and nobody waits for ever."""

import contextlib
import os
import signal
import socket
import threading
import time

import grpc_client
import http2_frames as h2
import sensor
from certificates import Authority
from serving import CAPTURE, ServerTest, code_of

grpc = grpc_client.grpc
YEAR_2023 = 1_700_000_000
SIGNALS = (signal.SIGTERM, signal.SIGINT)
HANG_S = 60  # longer than any end takes


class Stages(ServerTest):
    """One stage a test; each with both signals."""

    def each(self, stage, *arguments):
        """stage(running, feed) brings it there; then comes the signal."""
        for number in SIGNALS:
            with self.subTest(number.name):
                feed, running = self.feed(*arguments)
                stage(running, feed)
                running.process.send_signal(number)
                self.expect_end(running, feed)

    def expect_end(self, running, feed=None):
        self.assertEqual(running.process.wait(HANG_S), sensor.DONE, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
        self.assertFalse(self.socket.exists())
        if feed is not None:
            feed.end()
            feed.path.unlink()

    def ignore(self, stream):
        """Reads a stream aside, to whatever end."""
        def read():
            with contextlib.suppress(grpc.RpcError):
                for _ in stream:
                    pass
        thread = threading.Thread(target=read)
        thread.start()
        self.addCleanup(thread.join)

    def test_as_soon_as_the_port_is_open(self):
        self.each(lambda running, feed: None)

    def test_as_soon_as_it_says_where_it_listens(self):
        for number in SIGNALS:
            running = self.start("--log-level", "info", capture=CAPTURE)
            sensor.until(lambda running=running: "listens on" in running.stderr(), 20, running.stderr)
            running.process.send_signal(number)
            self.expect_end(running)

    def test_as_soon_as_the_socket_is_there(self):
        for number in SIGNALS:
            running = self.start(capture=CAPTURE)
            sensor.until(self.socket.exists, 20, running.stderr)
            running.process.send_signal(number)
            self.expect_end(running)

    def test_when_a_connection_was_just_made(self):
        def stage(running, feed):
            self.addCleanup(socket.create_connection(("127.0.0.1", self.port)).close)
        self.each(stage)

    def test_amid_the_greeting(self):
        def stage(running, feed):
            connection = h2.Connection(self.port, greets=False)
            self.addCleanup(connection.close)
            connection.send(h2.PREFACE[:9])
        self.each(stage)

    def test_amid_a_request(self):
        def stage(running, feed):
            connection = h2.Connection(self.port)
            self.addCleanup(connection.close)
            connection.send(h2.call(1, "/netscope.v1.FlowService/ListFlows")[:-3])
            connection.await_kind(h2.SETTINGS)
        self.each(stage)

    def test_amid_a_handshake(self):
        authority = Authority(self.folder, "ours")
        certificate, key = authority.sign("server", "IP:127.0.0.1")

        def stage(running, feed):
            one = socket.create_connection(("127.0.0.1", self.port))
            self.addCleanup(one.close)
            one.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        self.each(stage, "--grpc-tls", "--grpc-tls-cert", certificate, "--grpc-tls-key", key)

    def test_amid_many_unary_calls(self):
        def stage(running, feed):
            client = self.client()
            feed.flows(0, 5000, YEAR_2023, step=0.0001)
            calls = [client.channel.unary_unary("/netscope.v1.FlowService/ListFlows", bytes, bytes).future(b"", timeout=30)
                     for _ in range(100)]
            calls[0].result()
        self.each(stage)

    def test_when_clients_have_left_calls_behind(self):
        """Their connections are gone before the calls are, which still have to end."""
        def stage(running, feed):
            change, path = self.client().request("ApplyConfig"), "/netscope.v1.SensorService/ApplyConfig"
            change.settings.add(key="flow.udp_timeout_secs")
            with h2.Connection(self.port) as connection:
                for call in range(100):
                    change.settings[0].values[:] = [str(20 + call)]
                    connection.send(h2.call(2 * call + 1, path, change.SerializeToString()))
                connection.await_kind(h2.DATA)
        self.each(stage, "--grpc-role", "operator")

    def test_amid_streams_with_traffic(self):
        def stage(running, feed):
            for name in ("WatchFlows", "WatchAlerts", "WatchStats", "WatchPackets", "StreamPcap"):
                options = {} if name in ("WatchStats", "StreamPcap") else {"options": {"follow": True}}
                stream = self.client().watch(name, **options)
                next(stream)
                self.ignore(stream)
            feed.flows(0, 5000, YEAR_2023, step=0.0001)
            feed.flows(5000, 1, YEAR_2023 + 10)
        self.each(stage, "--grpc-role", "packets")

    def test_with_readers_that_stall(self):
        def stage(running, feed):
            for _ in range(5):
                client = self.client(options=[("grpc.http2.lookahead_bytes", 65536),
                                              ("grpc.use_local_subchannel_pool", 1)])
                next(client.watch("WatchFlows", options={"follow": True}))
            feed.flows(0, 10_000, YEAR_2023, step=0.0001)
            feed.flows(20_000, 1, YEAR_2023 + 10)
            feed.flows(20_000, 1, YEAR_2023 + 20)
        self.each(stage)

    def test_amid_a_flood(self):
        def stage(running, feed):
            def flood():
                with contextlib.suppress(OSError):  # until nobody listens any more
                    while True:
                        with h2.Connection(self.port) as connection:
                            stream = 1
                            while not connection.has_ended() and connection.try_send(
                                    h2.call(stream, "/netscope.v1.SensorService/GetStatus")):
                                stream += 2
            attackers = [threading.Thread(target=flood) for _ in range(4)]
            for attacker in attackers:
                attacker.start()
                self.addCleanup(attacker.join)
            time.sleep(0.2)
        self.each(stage)

    def test_during_a_reload(self):
        settings = self.folder / "netscope.yaml"
        settings.write_text("log: {level: info}\n", encoding="ascii")

        def stage(running, feed):
            settings.write_text("log: {level: debug}\n", encoding="ascii")
            running.process.send_signal(signal.SIGHUP)
        self.each(stage, "--config", settings)

    def test_during_a_change_of_settings(self):
        def stage(running, feed):
            client = self.client()
            client.channel.unary_unary("/netscope.v1.SensorService/ApplyConfig", bytes, bytes).future(b"", timeout=30)
        self.each(stage, "--grpc-role", "operator")

    def test_twice_and_thrice(self):
        for rest in ((signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)):
            feed, running = self.feed()
            next(self.client().watch("WatchFlows", options={"follow": True}))
            running.process.send_signal(signal.SIGINT)
            for number in rest:
                with contextlib.suppress(ProcessLookupError):
                    running.process.send_signal(number)
            self.expect_end(running, feed)

    def test_while_it_drains(self):
        """The end waits for a reader who holds on; what comes then does not cut it short."""
        def stage(running, feed):
            stream = self.client().watch("WatchFlows", options={"follow": True})
            next(stream)
            running.process.send_signal(signal.SIGTERM)
            error = code_of(lambda: list(stream))  # the last word of the drain
            self.assertEqual(error.code().name, "UNAVAILABLE")
        for number in SIGNALS:
            feed, running = self.feed()
            stage(running, feed)
            with contextlib.suppress(ProcessLookupError):
                running.process.send_signal(number)
            self.expect_end(running, feed)

    def test_when_the_input_has_ended(self):
        def stage(running, feed):
            feed.flows(0, 100, YEAR_2023)
            feed.end()
            status = self.client()
            sensor.until(lambda: list(status.watch("WatchAlerts"))[-1].HasField("end"), 20, running.stderr)
        self.each(stage)

    def test_after_the_input_has_ended_the_run(self):
        """With --exit-at-end the run is about to end by itself."""
        for number in SIGNALS:
            feed, running = self.feed("--exit-at-end")
            feed.flows(0, 100, YEAR_2023)
            feed.end()
            with contextlib.suppress(ProcessLookupError):
                running.process.send_signal(number)
            self.expect_end(running, feed)


class Moments(ServerTest):
    """At any millisecond: of the start, where only the time before there is a run to stop ends by the signal itself, and of
    the end, after a first signal."""

    def expect_end(self, running, *codes):
        code = running.process.wait(HANG_S)
        self.assertIn(code, codes, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
        return code

    def test_of_the_start(self):
        for number in SIGNALS:
            for milliseconds in range(0, 100, 4):
                with self.subTest(number=number.name, milliseconds=milliseconds):
                    running = self.start("--summary-json", self.folder / "summary.json")
                    time.sleep(milliseconds / 1000)
                    running.process.send_signal(number)
                    if self.expect_end(running, sensor.DONE, -number) == sensor.DONE:
                        summary = sensor.load_json(self.folder / "summary.json")
                        self.assertEqual(sensor.ledger_missing(summary), 0)
                    self.assertFalse(self.socket.exists())

    def test_from_the_first_that_is_caught(self):
        for number in SIGNALS:
            for milliseconds in range(20):
                with self.subTest(number=number.name, milliseconds=milliseconds):
                    running = self.start()
                    running.await_signals(number)
                    time.sleep(milliseconds / 1000)
                    running.process.send_signal(number)
                    self.expect_end(running, sensor.DONE)
                    self.assertFalse(self.socket.exists())

    def test_of_the_end(self):
        for milliseconds in range(21):
            with self.subTest(milliseconds=milliseconds):
                feed, running = self.feed()
                next(self.client().watch("WatchFlows", options={"follow": True}))
                running.process.send_signal(signal.SIGTERM)
                time.sleep(milliseconds / 1000)
                with contextlib.suppress(ProcessLookupError):
                    running.process.send_signal(SIGNALS[milliseconds % 2])
                self.expect_end(running, sensor.DONE)
                feed.end()
                os.unlink(feed.path)


if __name__ == "__main__":
    sensor.main()
