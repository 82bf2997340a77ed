"""Clients that hold calls open by raw frames: they say no request, or read no answer. Others are served, memory is bounded."""

import struct

import http2_frames as h2
import sensor
from serving import ServerTest

REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
WINDOW = 4  # SETTINGS_INITIAL_WINDOW_SIZE
MEGABYTE = 1 << 20


class Holders(ServerTest):
    def connect(self, window=None):
        connection = h2.Connection(self.port, greets=False)
        self.addCleanup(connection.close)
        settings = b"" if window is None else struct.pack(">HI", WINDOW, window)
        connection.send(h2.PREFACE + h2.frame(h2.SETTINGS, settings))
        return connection

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


if __name__ == "__main__":
    sensor.main()
