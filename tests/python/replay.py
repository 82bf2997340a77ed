"""Live traffic for tests: tcpreplay sends frames over a veth pair into the sensor's namespace."""

import subprocess

import capture_file
import namespaces
import sensor

FRAMES, LOOPS, RATE = 20_000, 10, 50_000
PACKETS = FRAMES * LOOPS
CLIENTS = 100


def replayed_frames():
    """UDP of 100 clients, each of its own size, so that bytes tell the flows apart."""
    for index in range(FRAMES):
        client = index % CLIENTS
        yield index * 1000, capture_file.udp_frame("192.0.2.1", "192.0.2.2", 20000 + client, 53, bytes(client))


class ReplayTest(namespaces.NamespaceTest, sensor.SensorTest):
    """A test with a sensor's namespace, into which replay() sends PACKETS packets by its interface in0."""

    def setUp(self):
        super().setUp()
        reason = namespaces.no_program("tcpreplay")
        if reason:
            self.skipTest(reason)
        self.net = self.make("sender", "sensor")
        self.net.join("sender", "out0", "sensor", "in0")
        self.source = self.folder / "replay.pcap"
        capture_file.write_pcap(self.source, replayed_frames())

    def replay(self, loops=LOOPS):
        words = ["tcpreplay", "--preload-pcap", f"--loop={loops}", f"--pps={RATE}", "--intf1=out0", self.source]
        done = subprocess.run([*self.net.inside("sender"), *map(str, words)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def judge_flows(self, flows):
        """Every client has a flow, with exactly what it sent."""
        self.assertEqual(len(flows), CLIENTS)
        for flow in flows:
            client = max(flow["endpoint_a"]["port"], flow["endpoint_b"]["port"]) - 20000
            self.assertEqual(flow["packets_total"], PACKETS // CLIENTS)
            self.assertEqual(flow["bytes_total"], PACKETS // CLIENTS * (42 + client))
