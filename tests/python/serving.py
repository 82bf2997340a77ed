"""What tests of the gRPC server have in common: a sensor that serves on a port and a socket of its own, and its callers."""

import hashlib
import os
import signal
import unittest

import feeding
import grpc_client
import sensor

grpc = grpc_client.grpc
CAPTURE = sensor.CAPTURES / "browsing.pcap"


def code_of(call):
    """The error of a call that has to fail."""
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("it went well")


def reason_of(error):
    """(code, reason) of a failed call: ("PERMISSION_DENIED", "ROLE_TOO_LOW")."""
    return error.code().name, grpc_client.details(error)[1]["ErrorInfo"].reason


@unittest.skipIf(grpc_client.missing(), grpc_client.missing())
class ServerTest(sensor.SensorTest):
    """A test with a sensor that serves."""

    def start(self, *arguments, capture=CAPTURE, prefix=()):
        """Without a wait: `self.port` and `self.socket` tell where it is going to serve."""
        self.port, self.socket = feeding.free_port(), self.folder / "netscope.sock"
        running = sensor.Running("-r", capture, "--grpc", "--grpc-port", self.port, "--grpc-socket", self.socket,
                                 "--report", "none", *arguments, prefix=prefix)
        self.addCleanup(running.close)
        return running

    def serve(self, *arguments, capture=CAPTURE, prefix=()):
        running = self.start(*arguments, capture=capture, prefix=prefix)
        feeding.await_port(self.port, running)
        return running

    def feed(self, *arguments, prefix=(), timeout_s=1):
        """A sensor that reads what the test sends, whose time is that of the packets."""
        feed = feeding.Feed(self.folder)
        self.addCleanup(feed.end)
        return feed, self.serve("--flow-timeout-s", timeout_s, "--udp-timeout-s", timeout_s, *arguments,
                                capture=feed.path, prefix=prefix)

    def await_packets(self, count, client=None):
        client = client or self.client()
        sensor.until(lambda: client.call("GetStats").counters.packets_analysed >= count, 60, lambda: "too few packets")

    def client(self, target=None, **options):
        client = grpc_client.Client(target or f"127.0.0.1:{self.port}", **options)
        self.addCleanup(client.channel.close)
        return client

    def local(self, **options):
        return self.client(f"unix:{self.socket}", **options)

    def write_tokens(self, *rows, path=None):
        """A tokens file of (name, role, token, limit...), which replaces the old one in one step."""
        path = path or self.folder / "tokens"
        lines = [" ".join((name, role, hashlib.sha256(token.encode()).hexdigest(), *limits))
                 for name, role, token, *limits in rows]
        return self.replace(path, "".join(f"{line}\n" for line in lines))

    @staticmethod
    def replace(path, text):
        new = path.with_suffix(".new")
        new.write_text(text, encoding="ascii")
        new.chmod(0o600)
        os.replace(new, path)
        return path

    def end(self, running, number=signal.SIGTERM, code=sensor.DONE):
        self.assertEqual(running.end(number), code, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
