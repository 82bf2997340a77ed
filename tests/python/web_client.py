"""What the HTTP tests speak: Connect calls by http.client, and WebSockets (RFC 6455) on a plain socket, byte by byte, so that a
test may break any rule."""

import base64
import hashlib
import http.client
import json
import os
import socket
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Answer:
    def __init__(self, response):
        self.code = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        """The reason in the details of an error: field 1 of google.rpc.ErrorInfo."""
        value = self.json()["details"][0]["value"]
        packed = base64.b64decode(value + "=" * (-len(value) % 4))
        return packed[2:2 + packed[1]].decode()


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


class LocalConnection(http.client.HTTPConnection):
    """By a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _connect(port, timeout, tls, host):
    if isinstance(port, os.PathLike):
        return LocalConnection(port, timeout)
    if tls is not None:
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=tls)
    return http.client.HTTPConnection(host, port, timeout=timeout)


def ask(port, method, path, body=None, headers=None, timeout=20, tls=None, host="127.0.0.1"):
    """`port` is a number, or the path of a unix socket; `tls` is an ssl.SSLContext."""
    connection = _connect(port, timeout, tls, host)
    try:
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def call(port, method, request=None, headers=None, **options):
    """A unary method of ours by its short name, in JSON."""
    return ask(port, "POST", f"/netscope.v1.{method}", json.dumps(request or {}),
               {"Content-Type": "application/json"} | (headers or {}), **options)


def raw(port, text, timeout=20):
    """All that comes back for these bytes, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(text if isinstance(text, bytes) else text.encode())
        return read_all(connection)


def read_all(connection):
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


class Refused(Exception):
    def __init__(self, head, body):
        super().__init__(head)
        self.code = int(head.split()[1])
        self.head, self.body = head, body


class WebSocket:
    """A client; `path` as /ws/service/method."""

    def __init__(self, port, path, headers=(), timeout=20, key=None, early=b"", tls=None, receive_buffer=None):
        self.connection = socket.socket()
        self.connection.settimeout(timeout)
        if receive_buffer is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.connection.connect(("127.0.0.1", port))
        if tls is not None:
            self.connection = tls.wrap_socket(self.connection, server_hostname="127.0.0.1")
        self.read = b""
        key = key or base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
                 "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *headers, "", ""]
        self.connection.sendall("\r\n".join(lines).encode() + early)
        self.head = self._head()
        if not self.head.startswith("HTTP/1.1 101"):
            self.connection.settimeout(2)
            try:
                body = self.read + self.connection.recv(65536)
            except TimeoutError:
                body = self.read
            self.connection.close()
            raise Refused(self.head, body)
        wanted = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        assert f"Sec-WebSocket-Accept: {wanted}" in self.head, self.head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def _head(self):
        while b"\r\n\r\n" not in self.read:
            piece = self.connection.recv(65536)
            if not piece:
                return self.read.decode()
            self.read += piece
        head, self.read = self.read.split(b"\r\n\r\n", 1)
        return head.decode()

    @staticmethod
    def frame(opcode, payload=b"", fin=True, masked=True, rsv=0):
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        mask = os.urandom(4) if masked else b""
        bit = 0x80 if masked else 0
        if len(payload) < 126:
            head += bytes([bit | len(payload)])
        elif len(payload) < 65536:
            head += bytes([bit | 126]) + struct.pack("!H", len(payload))
        else:
            head += bytes([bit | 127]) + struct.pack("!Q", len(payload))
        if masked:
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        return head + mask + payload

    def send(self, opcode, payload=b"", **how):
        self.connection.sendall(self.frame(opcode, payload, **how))

    def _take(self, count):
        while len(self.read) < count:
            piece = self.connection.recv(65536)
            if not piece:
                raise EOFError
            self.read += piece
        taken, self.read = self.read[:count], self.read[count:]
        return taken

    def receive(self):
        """(opcode, payload) of the next frame; EOFError at the end."""
        first, second = self._take(2)
        assert second & 0x80 == 0, "a server does not mask"
        assert first & 0x80, "messages come whole"
        length = second & 0x7f
        if length == 126:
            length, = struct.unpack("!H", self._take(2))
        elif length == 127:
            length, = struct.unpack("!Q", self._take(8))
        return first & 0x0f, self._take(length)

    def closing_code(self):
        """The code of the close frame; messages before it are skipped."""
        while True:
            opcode, payload = self.receive()
            if opcode == CLOSE:
                return struct.unpack("!H", payload[:2])[0] if payload else None
