"""What surrounds alerts: their settings, their outputs, the exit code. What raises them is tested elsewhere."""

import json
import signal

import capture_file
import namespaces
import sensor

SECOND = 1_000_000_000
START = 1_714_564_800 * SECOND  # 2024-05-01T12:00:00Z
SCANNER, VICTIM = "10.0.0.9", "192.0.2.1"
ALERTS = 1  # the exit code
BROWSING = sensor.CAPTURES / "browsing.pcap"  # ordinary traffic: no alerts


class AlertSettingsTest(sensor.SensorTest):
    def refused(self, *arguments, settings=None):
        result = sensor.run("-r", BROWSING, *arguments, settings=settings)
        self.assertEqual(result.returncode, sensor.USAGE, result.stderr)
        self.assertEqual(result.stdout, b"")
        return result.stderr.decode()

    def test_a_broken_allow_list_ends_the_start(self):
        file = self.folder / "netscope.yaml"
        file.write_text("analysis:\n  anomalies:\n    allow:\n      - 10.0.0.0/8 comment=ours\n      - 10.0.0.1/8\n",
                        encoding="utf-8")
        for arguments in (("--config", file), ("--config", file, "--check-config")):
            self.assertIn('analysis.anomalies.allow: "10.0.0.1/8": must begin with an address',
                          self.refused(*arguments))
        self.assertIn("entries by name or domain are not possible yet",
                      self.refused("--anomalies-allow", "prometheus.example"))

    def test_keys_of_four_parts_come_from_everywhere(self):
        self.assertIn("NETSCOPE_ANALYSIS_ANOMALIES_PORT_SCAN_WINDOW_SECS: analysis.anomalies.port_scan.window_secs: must",
                      self.refused(settings={"NETSCOPE_ANALYSIS_ANOMALIES_PORT_SCAN_WINDOW_SECS": "0"}))
        self.assertIn("must be longer than its window_secs (400)",
                      self.refused("--host-sweep-window-secs", "400"))
        printed = sensor.run("--print-config", "--syn-flood-syn-threshold", 7, "--anomalies-allow", "10.0.0.0/8 port=22",
                             "--alerts-webhook", "http://secret@alerts.example/")
        self.check(printed)
        text = printed.stdout.decode()
        self.assertIn("    allow: [\"10.0.0.0/8 port=22\"]\n    syn_flood:\n      enabled: true\n", text)
        self.assertIn("      syn_threshold: 7\n", text)
        self.assertNotIn("secret@", text)
        file = self.folder / "netscope.yaml"
        file.write_text(text, encoding="utf-8")
        again = sensor.run("--print-config", "--config", file)
        self.check(again)
        self.assertEqual(again.stdout.decode().split("memory plan")[0], text.split("memory plan")[0])

    def test_a_code_for_alerts_that_nobody_looks_for_is_refused(self):
        self.assertIn("would never fail", self.refused("--fail-on-alert", "--no-anomalies"))

    def test_a_webhook_that_is_no_url_is_refused(self):
        for url in ("alerts.example/hook", "ftp://alerts.example/", "http://alerts.example:99999/"):
            self.assertIn("output.alerts_webhook", self.refused("--alerts-webhook", url))


class AlertOutputTest(sensor.SensorTest):
    def test_ordinary_traffic_raises_none(self):
        path = self.folder / "alerts.jsonl"
        result = sensor.run("-r", BROWSING, "--alerts-jsonl", path, "--fail-on-alert", "--report", "json")
        self.check(result)
        self.assertEqual(path.read_bytes(), b"")
        self.assertEqual(json.loads(result.stdout)["alerts"], {"raised": 0, "by_kind": [], "alerts": []})

    def test_alerts_on_stdout_send_the_report_to_stderr(self):
        result = sensor.run("-r", BROWSING, "--alerts-jsonl", "-")
        self.check(result)
        self.assertEqual(result.stdout, b"")
        self.assertIn(b"NetScope", result.stderr)
        refused = sensor.run("-r", BROWSING, "--alerts-jsonl", "-", "--export-json", "-")
        self.assertEqual(refused.returncode, sensor.USAGE)

    def test_a_webhook_without_alerts_is_asked_nothing(self):
        result = sensor.run("-r", BROWSING, "--alerts-webhook", "http://127.0.0.1:1/", "--report", "none")
        self.check(result)
        self.assertEqual(result.stderr, b"")

    def test_worse_than_alerts_stays_what_it_is(self):
        cut = self.folder / "cut.pcap"
        cut.write_bytes(BROWSING.read_bytes()[:-10])
        result = sensor.run("-r", cut, "--fail-on-alert", "--report", "none")
        self.assertEqual(result.returncode, sensor.TRUNCATED, result.stderr)


SCANNED_PORTS = 50  # below slow_threshold


class ScanTest(sensor.SensorTest):
    """One scan of ports in a capture, and everybody who is told of it."""

    def setUp(self):
        super().setUp()
        frames = [(START + port * SECOND // 10, capture_file.tcp_frame(SCANNER, VICTIM, (40000 + port, port), flags=2))
                  for port in range(1, SCANNED_PORTS + 1)]
        frames.append((START + 200 * SECOND, capture_file.udp_frame("10.0.0.1", "10.0.0.2", 1000, 53, b"x")))
        self.scan = self.folder / "scan.pcap"
        capture_file.write_pcap(self.scan, frames)

    def run_scan(self, *arguments, code=sensor.DONE):
        result = sensor.run("-r", self.scan, *arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIsNone(sensor.finding(result.stderr))
        return result

    def test_the_stream_has_every_word_on_it(self):
        told = [json.loads(line) for line in self.run_scan("--alerts-jsonl", "-", "--node-name", "here").stdout.splitlines()]
        words = [alert["lifecycle"] for alert in told]
        self.assertEqual((words[0], words[-1], set(words[1:-1]) - {"updated"}), ("started", "ended", set()))
        self.assertEqual([alert["revision"] for alert in told], list(range(1, len(told) + 1)))
        self.assertEqual({alert["kind"] for alert in told}, {"port_scan"})
        self.assertEqual(len({alert["id"] for alert in told}), 1)
        first = told[0]
        self.assertEqual((first["node"], first["technique"], first["sources"][0]["ip"], first["targets"][0]["ip"]),
                         ("here", "T1046", SCANNER, VICTIM))
        self.assertEqual(first["measures"][0]["setting"], "analysis.anomalies.port_scan.unique_ports_threshold")
        self.assertEqual(len(first["sample_flows"]), 8)
        self.assertTrue(first["sample_flows"][0]["community_id"].startswith("1:"))

    def test_what_an_alert_says_would_silence_it_does(self):
        alert = json.loads(self.run_scan("--alerts-jsonl", "-").stdout.splitlines()[0])
        measure = alert["measures"][0]
        flag = "--port-scan-unique-ports-threshold"
        for arguments in (("--anomalies-allow", alert["silenced_by"]), (flag, SCANNED_PORTS + 1), ("--no-port-scan",),
                          ("--no-anomalies",)):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_scan("--alerts-jsonl", "-", *arguments).stdout, b"")
        self.assertGreaterEqual(measure["observed"], measure["threshold"])
        self.assertNotEqual(self.run_scan("--alerts-jsonl", "-", flag, int(measure["threshold"])).stdout, b"")

    def test_the_code_says_that_there_was_one(self):
        self.run_scan("--fail-on-alert", code=ALERTS)
        self.run_scan()
        self.run_scan("--fail-on-alert", "--anomalies-allow", SCANNER)
        self.run_scan("--fail-on-alert", "--export-json", "/dev/full", code=sensor.OUTPUT)

    def test_people_read_it_in_the_report_or_as_lines(self):
        report = self.run_scan("--explain-alerts").stdout.decode()
        self.assertIn("* 1 alert was raised: 1 port_scan.", report)
        self.assertRegex(report, r"\nAlerts\n  2024-05-01T12:00:0\dZ high port_scan: 10\.0\.0\.9 .*\(ended")
        self.assertIn(f'silenced by analysis.anomalies.allow: "{SCANNER}"', report)
        lines = self.run_scan("--report", "none").stdout.decode().splitlines()
        self.assertRegex(lines[0], r"^2024-05-01T12:00:0\dZ high port_scan: 10\.0\.0\.9 ")
        self.assertRegex(lines[-1], r"^2024-05-01T12:03:20Z high port_scan: 10\.0\.0\.9 .*\(ended")
        alerts = json.loads(self.run_scan("--report", "json").stdout)["alerts"]
        self.assertEqual((alerts["raised"], alerts["by_kind"]), (1, [{"kind": "port_scan", "alerts": 1}]))
        self.assertEqual(alerts["alerts"][0]["lifecycle"], "ended")

    def test_a_webhook_that_nobody_answers_is_told_of(self):
        result = self.run_scan("--report", "none", "--alerts-webhook", "http://user:secret@127.0.0.1:1/x", code=sensor.OUTPUT)
        self.assertRegex(result.stderr, rb"[23] alerts were not delivered to http://127.0.0.1:1 \(output.alerts_webhook\)")
        self.assertNotIn(b"secret", result.stderr)

    def test_names_of_the_parties_are_told(self):
        names = self.folder / "names.csv"
        names.write_text(f"{SCANNER},scanner,lab,pod\n", encoding="utf-8")
        alert = json.loads(self.run_scan("--alerts-jsonl", "-", "--names-file", names).stdout.splitlines()[0])
        party = alert["sources"][0]
        self.assertEqual((party["name"], party["namespace"], party["name_source"]), ("scanner", "lab", "file"))


class AlertReloadTest(namespaces.NamespaceTest, sensor.SensorTest):
    """Thresholds, the allow list and the file change while a run goes on."""

    def setUp(self):
        super().setUp()
        self.inside = self.make("alerts").inside("alerts")
        self.file = self.folder / "netscope.yaml"

    def reload(self, running, yaml, said):
        self.file.write_text(yaml, encoding="utf-8")
        running.process.send_signal(signal.SIGHUP)
        sensor.until(lambda: said in running.stderr(), 10, running.stderr)

    def test_changes_while_it_runs(self):
        self.file.write_text("analysis: {anomalies: {enabled: true}}\n", encoding="utf-8")
        running = sensor.Running("--config", self.file, "-v", "--packets", "never", "-i", "lo", prefix=self.inside)
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        alerts = self.folder / "alerts.jsonl"
        self.reload(running, f"analysis: {{anomalies: {{enabled: true, allow: [10.0.0.1], port_scan: "
                             f"{{window_secs: 30}}}}}}\noutput: {{alerts_jsonl: {alerts}}}\n",
                    "analysis.anomalies.port_scan.window_secs")
        sensor.until(alerts.exists, 10, running.stderr)
        self.reload(running, "analysis: {anomalies: {enabled: true, allow: [nonsense]}}\n",
                    'analysis.anomalies.allow: "nonsense"')
        self.reload(running, f"analysis: {{anomalies: {{enabled: true, allow: [10.0.0.1]}}}}\noutput: "
                             f"{{alerts_jsonl: {alerts}, alerts_webhook: 'http://127.0.0.1:1/'}}\n",
                    "output.alerts_webhook")
        self.assertEqual(running.end(signal.SIGTERM), sensor.DONE, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())


if __name__ == "__main__":
    sensor.main()
