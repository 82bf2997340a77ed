"""What the benches of the API share: sensors that serve, subscribers, and traffic in which each packet is a flow."""

import fcntl
import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import runs

sys.path.insert(0, str(runs.ROOT / "tests" / "python"))
import feeding  # noqa: E402
import grpc_client  # noqa: E402

live = runs.script_module("live")
CHUNK_S = 0.005
PIPE_BYTES = 1 << 20
SECONDS, PACKET_BYTES = struct.Struct("<II"), 16 + 60


class Sensor(live.Capturing):
    """A sensor over `input` ("-i in0" or "-r FIFO"), that serves at a unix socket unless `api` is false."""

    def __init__(self, programs, folder, words, wire=None, api=True):
        self.wire, self.socket = wire, Path(folder) / "netscope.sock" if api else None
        self.summary = Path(folder) / "summary.json"
        served = ["--grpc", "--grpc-bind", "", "--grpc-socket", self.socket] if api else []
        inside = wire.inside(wire.sensor) if wire is not None else ["nice", "-n", "0", "env"]
        super().__init__([*inside, programs.netscope, *words, "--quiet", "--report", "none", "--summary-json",
                          self.summary, *served])

    def captures(self):
        serves = self.socket is None or self.socket.exists()
        return serves and (self.wire is None or super().captures())

    def __exit__(self, *what):
        super().__exit__(*what)
        if self.socket is not None:
            self.socket.unlink(missing_ok=True)

    def target(self):
        return f"unix:{self.socket}"

    def client(self):
        return grpc_client.Client(self.target())

    def rss_mb(self):
        rows = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(row.split()[1]) for row in rows if row.startswith("VmRSS")) * 1024 / 1e6

    def ledger(self):
        """After the end: (received, lost)."""
        ledger = json.loads(self.summary.read_text(encoding="utf-8"))["ledger"]
        return ledger["received"], ledger["received"] - ledger["analysed"] - ledger["duplicate"]


class Subscriber:
    """bench/subscriber: begun when this is made, and its figures when it is ended."""

    def __init__(self, target, *words):
        self.process = subprocess.Popen([str(runs.ROOT / "bench" / "subscriber"), target, *map(str, words)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise runs.Trouble("the subscriber does not begin")

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        figures = json.loads(self.process.stdout.read())
        self.process.wait()
        self.process.stdout.close()
        for stream in filter(lambda stream: stream["why"], figures["streams"]):
            raise runs.Trouble(f"a stream ended with {stream['why']}")
        return figures


def frames(count):
    """Packets as in a capture, 76 bytes each, of as many flows."""
    header = struct.pack("<IIII", 0, 0, PACKET_BYTES - 16, PACKET_BYTES - 16)
    for number in range(count):
        yield header + feeding.udp_frame(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
                                         1024 + number % 60000, "192.0.2.9", 8080)


class Feed:
    """A FIFO into which packets come at a rate of packet and wall time alike, each a flow of its own."""

    def __init__(self, folder, rate, seconds):
        self.path, self.rate = Path(folder) / "feed", rate
        self.path.unlink(missing_ok=True)
        os.mkfifo(self.path)
        self.each = int(rate * CHUNK_S)
        content = b"".join(frames(rate * seconds))
        step = self.each * PACKET_BYTES
        self.chunks = [bytearray(content[at:at + step]) for at in range(0, len(content), step)]

    def open(self):
        self.file = os.fdopen(os.open(self.path, os.O_RDWR), "r+b", buffering=0)  # waits for no reader
        fcntl.fcntl(self.file, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def send(self, chunk, due_s):
        for index in range(len(chunk) // PACKET_BYTES):
            at_us = int((due_s + index / self.rate) * 1e6)
            SECONDS.pack_into(chunk, index * PACKET_BYTES, at_us // 1000000, at_us % 1000000)
        view = memoryview(chunk)
        while view:
            view = view[self.file.write(view):]

    def run(self):
        """Returns how late the latest packet was written."""
        begin_s, late_s = time.time(), 0.0
        for number, chunk in enumerate(self.chunks):
            due_s = begin_s + number * CHUNK_S
            time.sleep(max(0.0, due_s - time.time()))
            self.send(chunk, due_s)
            late_s = max(late_s, time.time() - due_s)
        return late_s

    def flush(self, seconds=3):
        """Packets of one flow of a later time, so that the ticks of all before are over."""
        for number in range(seconds * 20):
            self.send(bytearray(self.chunks[0][:PACKET_BYTES]), time.time())
            time.sleep(0.05)

    def close(self):
        self.file.close()


def write_flows(path, count):
    """A capture of packets that are a flow each, for tcpreplay."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        file.writelines(frames(count))
    return path
