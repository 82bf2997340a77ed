"""A sensor that reads a capture while the test writes it: a FIFO, whose packets come when the test says so."""

import os
import struct
import threading
import time

import sensor

_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def udp_frame(source, source_port, target, target_port, payload=b"x" * 18):
    """An Ethernet frame of a UDP datagram between two IPv4 addresses."""
    def packed(address):
        return bytes(int(part) for part in address.split("."))
    udp = struct.pack(">HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + packed(source) + packed(target)
    return bytes(12) + b"\x08\x00" + head + udp


def syn_frame(source, source_port, target, target_port, sequence=1):
    def packed(address):
        return bytes(int(part) for part in address.split("."))
    tcp = struct.pack(">HHIIBBHHH", source_port, target_port, sequence, 0, 0x50, 2, 1024, 0, 0)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + packed(source) + packed(target)
    return bytes(12) + b"\x08\x00" + head + tcp


class Feed:
    """Writes a capture to a FIFO; packets carry the time that the test gives them."""

    def __init__(self, folder):
        self.path = folder / "feed"
        os.mkfifo(self.path)
        self._file = None
        self._lock = threading.Lock()
        threading.Thread(target=self._open, daemon=True).start()

    def _open(self):
        with self._lock:
            self._file = open(self.path, "wb", buffering=0)
            self._file.write(_HEADER)

    def send(self, frames):
        """(seconds, frame) in order."""
        with self._lock:
            content = b"".join(
                struct.pack("<IIII", int(seconds), int(seconds % 1 * 1e6), len(frame), len(frame)) + frame
                for seconds, frame in frames)
            self._file.write(content)

    def flows(self, first, count, at, step=0.001):
        """`count` flows of one packet each, from number `first` on."""
        self.send((at + index * step, udp_frame(f"10.1.{number // 250 % 250}.{number % 250 + 1}",
                                                1024 + number % 60000, "192.0.2.9", 8080))
                  for index, number in enumerate(range(first, first + count)))

    def end(self):
        with self._lock:
            if self._file is not None:
                self._file.close()


def free_port():
    """A TCP port of loopback that nobody listens on now."""
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_socket(path, running, timeout=20):
    sensor.until(path.exists, timeout, lambda: f"no socket at {path}: {running.stderr()}")


def await_port(port, running, timeout=20):
    import socket

    def open_now():
        if running.process.poll() is not None:
            raise AssertionError(f"ended with {running.process.returncode}: {running.stderr()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    sensor.until(open_now, timeout, lambda: f"nobody listens on {port}: {running.stderr()}")


def pause():
    time.sleep(0.05)
