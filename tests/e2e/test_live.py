"""Live capture over a veth pair: 200,000 packets at 50,000 a second, all received, analysed and accounted for."""

import namespaces
import replay
import sensor


class LiveTest(replay.ReplayTest):
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
        print(f"FIGURE: sent {replay.PACKETS}, arrived {arrived}, received {ledger['received']}, "
              f"analysed {ledger['analysed']} at {replay.RATE} packets a second")
        self.assertEqual(arrived, replay.PACKETS)
        self.assertEqual(ledger["received"], replay.PACKETS)
        self.assertEqual(ledger["analysed"], replay.PACKETS)
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.judge_flows(flows)


if __name__ == "__main__":
    sensor.main()
