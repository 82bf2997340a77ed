"""/metrics and the probes: what they say, in which format, to whom."""

import re
import shutil
import subprocess
import unittest

import sensor
import web_client
from web_client import ask
from web_test import WebTest

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def families(text):
    """{name: type} and {(name, labels): value} of a scrape."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    samples = {(name, labels): float(value)
               for name, labels, value in re.findall(r"^([a-z_]+)(\{.*\})? (\S+)$", text, re.MULTILINE)}
    return types, samples


class Metrics(WebTest):
    def test_they_say_what_the_summary_says(self):
        expected = self.summarise("-r", sensor.CAPTURES / "browsing.pcap")["ledger"]
        running = self.serve()
        self.await_analysed()
        answer = ask(self.metrics_port, "GET", "/metrics")
        self.assertEqual((answer.code, answer.headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        types, samples = families(answer.body.decode())
        self.assertEqual(samples["netscope_capture_packets_total", '{interface="browsing.pcap"}'], expected["received"])
        self.assertEqual(samples["netscope_packets_analysed_total", ""], expected["analysed"])
        self.assertEqual(types["netscope_packets_analysed_total"], "counter")
        self.assertLessEqual(len(samples), 300)
        self.assertNotIn("10.10.0.34", answer.body.decode(), "an address of the capture is a label")
        self.assertEqual(set(types), set(families(ask(self.port, "GET", "/metrics").body.decode())[0]))
        self.end(running)

    def test_they_are_openmetrics_where_that_is_preferred(self):
        running = self.serve()
        self.await_analysed()
        for accept, open_format in ((OPENMETRICS + ",text/plain;q=0.5", True), ("*/*", False), ("text/plain", False),
                                    (OPENMETRICS + ";q=0.1,text/plain;q=0.2", False)):
            answer = ask(self.metrics_port, "GET", "/metrics", headers={"Accept": accept})
            text = answer.body.decode()
            self.assertEqual(answer.headers["content-type"].startswith("application/openmetrics-text"), open_format, accept)
            self.assertEqual(text.endswith("\n# EOF\n"), open_format, accept)
            self.assertEqual("# TYPE netscope_packets_analysed counter" in text, open_format, accept)
            self.assertIn("\nnetscope_packets_analysed_total ", text)
        self.end(running)

    def test_promtool_finds_nothing_to_say(self):
        if shutil.which("promtool") is None:
            self.skipTest("needs promtool (package prometheus)")
        running = self.serve()
        self.await_analysed()
        text = ask(self.metrics_port, "GET", "/metrics").body
        judged = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        self.assertEqual((judged.returncode, judged.stdout + judged.stderr), (0, b""))
        self.end(running)

    def test_nothing_else_is_there(self):
        running = self.serve()
        for path in ("/", "/x", "/metrics/", "/netscope.v1.SensorService/GetStatus", "/ticket", "/../metrics/x"):
            answer = ask(self.metrics_port, "GET", path)
            self.assertEqual((answer.code, answer.json()["code"]), (404, "not_found"), path)
        for method in ("POST", "PUT", "DELETE"):
            answer = ask(self.metrics_port, method, "/metrics")
            self.assertEqual((answer.code, answer.headers["allow"]), (405, "GET, HEAD"))
        self.assertEqual(ask(self.metrics_port, "HEAD", "/metrics").body, b"")
        self.end(running)

    def test_a_password_is_asked_for_but_not_by_probes(self):
        secret = self.folder / "secret"
        secret.write_text("open sesame\n", encoding="ascii")
        secret.chmod(0o600)
        running = self.serve("--metrics-auth", "--metrics-auth-user", "prometheus", "--metrics-auth-pass-file", secret)
        refused = ask(self.metrics_port, "GET", "/metrics")
        self.assertEqual((refused.code, refused.reason), (401, "CREDENTIALS_MISSING"))
        self.assertIn("Basic", refused.headers["www-authenticate"])
        wrong = ask(self.metrics_port, "GET", "/metrics", headers=web_client.basic("prometheus", "x"))
        self.assertEqual((wrong.code, wrong.reason), (401, "PASSWORD_WRONG"))
        right = ask(self.metrics_port, "GET", "/metrics", headers=web_client.basic("prometheus", "open sesame"))
        self.assertEqual(right.code, 200)
        self.assertIn(b'netscope_api_logins_refused_total{listener="metrics",reason="password"} 1', right.body)
        self.assertEqual(ask(self.metrics_port, "GET", "/livez").code, 200)
        self.end(running)


class Probes(WebTest):
    def test_they_are_on_both_ports_and_reveal_nothing(self):
        running = self.serve("--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "secret")
        for port in (self.port, self.metrics_port):
            for path in ("/livez", "/readyz"):
                sensor.until(lambda port=port, path=path: ask(port, "GET", path).code == 200, 20, lambda path=path: path)
                answer = ask(port, "GET", path, headers={"Host": "pod.example"})  # a probe comes by any name
                self.assertEqual((answer.code, answer.body), (200, b"ok\n"))
        self.end(running)

    def test_metrics_may_be_open_to_all_and_the_page_may_not(self):
        self.check(sensor.run("--check-config", "-r", sensor.CAPTURES / "browsing.pcap", "--metrics", "--metrics-bind",
                              "0.0.0.0"))
        self.check(sensor.run("--check-config", "--web", "--web-bind", "0.0.0.0"), code=sensor.USAGE,
                   said="web.insecure that anybody may")


if __name__ == "__main__":
    sensor.main()
