"""What surrounds alerts: their settings, their outputs, the exit code. What raises them is tested elsewhere."""

import json
import signal

import namespaces
import sensor

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
