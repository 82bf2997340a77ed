"""Live capture over a veth pair: 200,000 packets at 50,000 a second, all received, analysed and accounted for."""

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


class LiveTest(namespaces.NamespaceTest, sensor.SensorTest):
    def setUp(self):
        super().setUp()
        reason = namespaces.no_program("tcpreplay")
        if reason:
            self.skipTest(reason)
        self.net = self.make("sender", "sensor")
        self.net.join("sender", "out0", "sensor", "in0")
        self.source = self.folder / "replay.pcap"
        capture_file.write_pcap(self.source, replayed_frames())

    def replay(self):
        words = ["tcpreplay", "--preload-pcap", f"--loop={LOOPS}", f"--pps={RATE}", "--intf1=out0", self.source]
        done = subprocess.run([*self.net.inside("sender"), *map(str, words)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_every_packet_is_received_analysed_and_accounted_for(self):
        summary_path, export = self.folder / "summary.json", self.folder / "flows.json"
        ended = self.folder / "ended.jsonl"
        arguments = ("-i", "in0", "--quiet", "--summary-json", summary_path, "--export-json", export,
                     "--expired-flows-jsonl", ended, "udp and port 53")
        with sensor.Running(*arguments, prefix=self.net.inside("sensor")) as running:
            namespaces.await_capture(running)
            self.replay()
            arrived = namespaces.interface_packets(self.net, "sensor", "in0", "rx_packets")
            namespaces.settle()
            self.assertEqual(running.end(), sensor.DONE, running.stderr())
            self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
        self.judge(arrived, sensor.load_json(summary_path), sensor.load_json(export))

    def judge(self, arrived, summary, flows):
        ledger = summary["ledger"]
        print(f"FIGURE: sent {PACKETS}, arrived {arrived}, received {ledger['received']}, "
              f"analysed {ledger['analysed']} at {RATE} packets a second")
        self.assertEqual(arrived, PACKETS)
        self.assertEqual(ledger["received"], PACKETS)
        self.assertEqual(ledger["analysed"], PACKETS)
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.assertEqual(len(flows), CLIENTS)
        for flow in flows:
            client = max(flow["endpoint_a"]["port"], flow["endpoint_b"]["port"]) - 20000
            self.assertEqual(flow["packets_total"], PACKETS // CLIENTS)
            self.assertEqual(flow["bytes_total"], PACKETS // CLIENTS * (42 + client))


if __name__ == "__main__":
    sensor.main()
