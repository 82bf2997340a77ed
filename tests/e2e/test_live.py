"""Live capture over a veth pair: 200,000 packets at 50,000 a second, all received, analysed and accounted for."""

import json
import signal

import capture_file
import namespaces
import replay
import sensor

BURST = 300_000


def burst():
    """A flow each."""
    for index in range(BURST):
        client = f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}"
        yield index * 1000, capture_file.udp_frame(client, "192.0.2.2", 20000, 53, b"x")


class LiveTest(replay.ReplayTest):
    def test_every_packet_is_received_analysed_and_accounted_for(self):
        self.capture()

    def test_batches_of_one_packet_lose_nothing(self):
        self.capture("--workers", "3", "--batch", "1")

    def test_flows_that_end_together_are_all_streamed(self):
        """As many as the log of events holds several times over, by one change of a timeout."""
        yaml, ended = self.folder / "netscope.yaml", self.folder / "ended.jsonl"
        yaml.write_text("flow: {udp_timeout_secs: 3600}\n", encoding="utf-8")
        capture_file.write_pcap(self.source, burst())
        with sensor.Running("--config", yaml, "-i", "in0", "--packets", "never", "--expired-flows-jsonl", ended,
                            "udp and port 53", prefix=self.net.inside("sensor")) as running:
            namespaces.await_capture(running)
            self.replay(loops=1)
            namespaces.settle()
            yaml.write_text("flow: {udp_timeout_secs: 1}\n", encoding="utf-8")
            running.process.send_signal(signal.SIGHUP)
            sensor.until(lambda: ended.read_bytes().count(b"\n") >= BURST, 60,
                         lambda: f"{ended.read_bytes().count(bytes([10]))} flows: {running.stderr()}")
            self.assertEqual(running.end(), sensor.DONE, running.stderr())
        reasons = [json.loads(line)["reason"] for line in ended.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(len(reasons), BURST)
        self.assertEqual(set(reasons), {"timeout"})

    def capture(self, *more):
        summary_path, export = self.folder / "summary.json", self.folder / "flows.json"
        ended = self.folder / "ended.jsonl"
        arguments = ("-i", "in0", "--quiet", "--summary-json", summary_path, "--export-json", export,
                     "--expired-flows-jsonl", ended, *more, "udp and port 53")
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
        print(f"FIGURE: sent {replay.PACKETS}, arrived {arrived}, received {ledger['received']}, "
              f"analysed {ledger['analysed']} at {replay.RATE} packets a second")
        self.assertEqual(arrived, replay.PACKETS)
        self.assertEqual(ledger["received"], replay.PACKETS)
        self.assertEqual(ledger["analysed"], replay.PACKETS)
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.judge_flows(flows)


if __name__ == "__main__":
    sensor.main()
