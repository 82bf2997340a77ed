"""Clients that hold calls open by raw frames: they say no request, or read no answer. Others are served, memory is bounded."""

import struct

import http2_frames as h2
import sensor
from serving import ServerTest

CHECK = "/grpc.health.v1.Health/Check"
CONFIG = "/netscope.v1.SensorService/GetConfig"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
CALLS_A_CONNECTION, CALLS = 200, 1024  # of the sensor
ANSWERS_A_CONNECTION = 100  # fewer than a caller may have open at a time
WINDOW = 4  # SETTINGS_INITIAL_WINDOW_SIZE
MEGABYTE = 1 << 20
# What a sanitizer keeps of freed memory would hide what is asked for here.
SMALL_QUARANTINE = ("env", "ASAN_OPTIONS=exitcode=99:detect_leaks=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=16")


class Holders(ServerTest):
    def connect(self, window=None):
        connection = h2.Connection(self.port, greets=False)
        self.addCleanup(connection.close)
        settings = b"" if window is None else struct.pack(">HI", WINDOW, window)
        connection.send(h2.PREFACE + h2.frame(h2.SETTINGS, settings))
        return connection

    def resident(self, running):
        with open(f"/proc/{running.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    @staticmethod
    def await_ends(connection, count):
        """Until so many calls of a connection have ended; what ended them, by stream."""
        ends = {}
        for kind, flags, stream, payload in connection.frames():
            if kind == h2.RST_STREAM or (kind == h2.HEADERS and flags & h2.END_STREAM):
                ends.setdefault(stream, payload)
            if len(ends) == count:
                return ends
        raise AssertionError(f"the connection ended after {len(ends)}")

    def test_questions_of_reflection_wait_for_their_turn(self):
        running = self.serve()
        asked = self.connect(window=0)
        question = b"\x3a\x01*"  # list_services
        message = b"\x00" + struct.pack(">I", len(question)) + question
        asked.send(h2.frame(h2.HEADERS, h2.request_block(REFLECTION), h2.END_HEADERS, 1)
                   + b"".join(h2.frame(h2.DATA, message, 0, 1) for _ in range(20)) + h2.frame(h2.DATA, b"", 1, 1))
        self.client().call("GetStatus")
        asked.send(h2.frame(h2.WINDOW_UPDATE, struct.pack(">I", MEGABYTE), 0, 1))
        content = b""
        for kind, flags, _, payload in asked.frames():
            content += payload if kind == h2.DATA else b""
            if kind == h2.HEADERS and flags & h2.END_STREAM:
                break
        answers = 0
        while content:
            content, answers = content[5 + int.from_bytes(content[1:5], "big"):], answers + 1
        self.assertEqual(answers, 20)
        self.end(running)

    def test_calls_without_a_request_give_way(self):
        running = self.serve()
        connections = [self.connect() for _ in range(CALLS // CALLS_A_CONNECTION + 4)]
        head = h2.request_block(CHECK)
        for connection in connections:
            connection.send(b"".join(h2.frame(h2.HEADERS, head, h2.END_HEADERS, 2 * call + 1)
                                     for call in range(CALLS_A_CONNECTION)))
        self.client().call("GetStatus")
        first = self.await_ends(connections[0], CALLS_A_CONNECTION)
        self.assertEqual(set(first), set(range(1, 2 * CALLS_A_CONNECTION, 2)))
        connections[-1].send(h2.frame(h2.DATA, bytes(5), h2.END_STREAM, 1))
        self.assertEqual(set(self.await_ends(connections[-1], 1)), {1})
        self.end(running)

    def test_answers_that_are_not_read_give_way(self):
        running = self.serve(prefix=SMALL_QUARANTINE)
        self.client().call("GetConfig")
        before = self.resident(running)
        calls = b"".join(h2.call(2 * call + 1, CONFIG) for call in range(ANSWERS_A_CONNECTION))
        connections = [self.connect(window=0) for _ in range(60)]
        for connection in connections:
            connection.send(calls)
            self.local().call("GetStatus")
        self.await_ends(connections[0], ANSWERS_A_CONNECTION)
        self.assertLess(self.resident(running) - before, 160 * MEGABYTE)
        self.end(running)


if __name__ == "__main__":
    sensor.main()
