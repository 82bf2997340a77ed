"""A capture over the wire, over the very link that is captured: tcpdump reads it, and it does not feed itself."""

import json
import subprocess
import sys
import unittest

import feeding
import grpc_client
import namespaces
import sensor

DATAGRAMS, SECONDS = 500, 2
MAX_BYTES, MAX_DURATION = 2, 3  # why it ended
SENT = DATAGRAMS + DATAGRAMS  # each, and that nobody listens


@unittest.skipIf(grpc_client.missing() or namespaces.no_program("tcpdump"), "needs grpcio, protoc and tcpdump")
class StreamPcapTest(namespaces.NamespaceTest, sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.net = self.make("sensor")

    def capture(self, *arguments, words=(), reason=MAX_DURATION, captured="lo"):
        """The end as the client was told it, and the lines of tcpdump."""
        port, path = feeding.free_port(), self.folder / "sent.pcapng"
        with sensor.Running("-i", captured, "--packets", "never", "-v", "--grpc", "--grpc-port", port, "--grpc-role",
                            "packets", *arguments, prefix=self.net.inside("sensor")) as running:
            namespaces.await_capture(running)
            done = subprocess.run([*self.net.inside("sensor"), sys.executable,
                                   sensor.ROOT / "tests" / "python" / "stream_pcap.py", f"127.0.0.1:{port}", path,
                                   str(SECONDS), str(DATAGRAMS), *words], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr + running.stderr())
            self.assertEqual(running.end(), sensor.DONE, running.stderr())
            self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
            log = running.stderr()
        end = json.loads(done.stdout)
        read = subprocess.run(["tcpdump", "-n", "-r", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=60, check=False)
        self.assertEqual(read.returncode, 0, read.stderr)
        lines = read.stdout.splitlines()
        self.assertEqual(len(lines), end["packets"])
        self.assertEqual(path.stat().st_size, end["bytes"])
        self.assertEqual(end["reason"], reason)
        self.assertIn(f"{end['packets']} packets, {end['bytes']} bytes, {end['dropped']} dropped", log)
        self.assertIn("StreamPcap of anonymous is over", log)
        return end, lines

    def test_own_connection_is_left_out(self):
        end, lines = self.capture()
        self.assertEqual(end["dropped"], 0)
        self.assertEqual(sum(".9: UDP, length 100" in line for line in lines), DATAGRAMS)
        self.assertLess(end["packets"], SENT + 30)  # of the client's beginning and end, if any

    def test_it_feeds_itself_when_that_is_wanted(self):
        self.capture("--no-exclude-self", reason=MAX_BYTES)

    def test_filter(self):
        end, lines = self.capture(words=("udp", "port", "9"))
        self.assertEqual((end["packets"], len(lines)), (DATAGRAMS, DATAGRAMS))

    def test_interfaces_behind_any(self):
        for interface, packets in (("lo", DATAGRAMS), ("any", DATAGRAMS), ("none0", 0)):
            with self.subTest(interface):
                end, _ = self.capture(words=(f"@{interface}", "udp", "port", "9"), captured="any")
                self.assertEqual(end["packets"], packets)


if __name__ == "__main__":
    sensor.main()
