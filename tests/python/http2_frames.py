"""HTTP/2 by hand, for attacks that no library makes: frames (RFC 9113), and header blocks of literals (RFC 7541)."""

import select
import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
ENHANCE_YOUR_CALM = 11


def frame(kind, payload=b"", flags=0, stream=0):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _text(value):
    if len(value) < 127:
        return bytes([len(value)]) + value
    left, length = len(value) - 127, [127]
    while left >= 128:
        length.append(left % 128 + 128)
        left //= 128
    return bytes([*length, left]) + value


def field(name, value):
    """A literal that no table keeps."""
    return b"\x00" + _text(name) + _text(value)


def request_block(path, *fields):
    """The header block of a gRPC call."""
    names = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", path.encode()), (b":authority", b"localhost"),
             (b"content-type", b"application/grpc"), (b"te", b"trailers"), *fields)
    return b"".join(field(name, value) for name, value in names)


def call(stream, path, content=b"", *fields):
    """A whole unary call."""
    message = b"\x00" + struct.pack(">I", len(content)) + content
    return (frame(HEADERS, request_block(path, *fields), END_HEADERS, stream)
            + b"".join(frame(DATA, message[at:at + 16384], END_STREAM if at + 16384 >= len(message) else 0, stream)
                       for at in range(0, len(message), 16384)))


class Connection:
    """A client's connection, by a port of loopback (a number) or a unix socket (a path)."""

    def __init__(self, where, greets=True, timeout=60):
        family = socket.AF_INET if isinstance(where, int) else socket.AF_UNIX
        self.socket = socket.socket(family)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", where) if isinstance(where, int) else str(where))
        self._got = b""
        if greets:
            self.send(PREFACE + frame(SETTINGS))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, content):
        self.socket.sendall(content)

    def try_send(self, content):
        """Whether it went: False once the other side has closed."""
        try:
            self.socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def has_ended(self):
        """Whether the other side has closed; what came is forgotten."""
        try:
            while select.select([self.socket], [], [], 0)[0]:
                if not self.socket.recv(1 << 16):
                    return True
        except ConnectionResetError:
            return True
        return False

    def frames(self):
        """(kind, flags, stream, payload) until the other side closes, be it by a reset."""
        while True:
            while len(self._got) >= 9:
                length = int.from_bytes(self._got[:3], "big")
                if len(self._got) < 9 + length:
                    break
                kind, flags, stream = struct.unpack(">BBI", self._got[3:9])
                payload, self._got = self._got[9:9 + length], self._got[9 + length:]
                yield kind, flags, stream, payload
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return
            if not more:
                return
            self._got += more

    def await_close(self):
        """Error codes of the GOAWAYs that came before the other side closed."""
        return [int.from_bytes(payload[4:8], "big") for kind, _, _, payload in self.frames() if kind == GOAWAY]

    def await_kind(self, wanted):
        """The next frame of this kind; None when the other side closes before."""
        return next((found for found in self.frames() if found[0] == wanted), None)
