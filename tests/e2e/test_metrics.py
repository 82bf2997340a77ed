"""/metrics and the probes: what they say, in which format, to whom, and what a real Prometheus makes of it."""

import hashlib
import re
import shutil
import struct
import subprocess
import unittest

import capture_file
import certificates
import feeding
import namespaces
import prometheus
import sensor
import web_client
from prometheus import scrape
from web_client import ask
from web_test import CAPTURE, WebTest

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
MOST_SERIES = 300

# What is promised, by name: type and labels. Further families may be there.
PROMISED = {
    "netscope_build_info": ("gauge", "version"),
    "netscope_uptime_seconds": ("gauge", ""),
    "netscope_interface_up": ("gauge", "interface"),
    "netscope_capture_packets_total": ("counter", "interface"),
    "netscope_capture_bytes_total": ("counter", "interface"),
    "netscope_packets_analysed_total": ("counter", ""),
    "netscope_packets_duplicate_total": ("counter", ""),
    "netscope_packets_lost_total": ("counter", "interface,stage,reason"),
    "netscope_decode_errors_total": ("counter", "layer,reason"),
    "netscope_active_flows": ("gauge", ""),
    "netscope_flows_created_total": ("counter", ""),
    "netscope_flows_ended_total": ("counter", "reason"),
    "netscope_flow_capacity": ("gauge", ""),
    "netscope_flow_table_bytes": ("gauge", ""),
    "netscope_queue_depth": ("gauge", "queue"),
    "netscope_queue_capacity": ("gauge", "queue"),
    "netscope_alerts_total": ("counter", "kind,severity"),
    "netscope_alerts_active": ("gauge", "kind"),
    "netscope_alerts_suppressed_total": ("counter", "kind,reason"),
    "netscope_detector_degraded": ("gauge", "kind"),
    "netscope_stream_subscribers": ("gauge", "stream"),
    "netscope_stream_messages_dropped_total": ("counter", "stream,policy"),
    "netscope_output_bytes_total": ("counter", "output"),
    "netscope_output_errors_total": ("counter", "output"),
    "netscope_output_failing": ("gauge", "output"),
    "netscope_output_lost_total": ("counter", "output"),
    "netscope_capture_lag_seconds": ("gauge", ""),
    "netscope_tick_duration_seconds": ("histogram", ""),
    "netscope_certificate_expiry_timestamp_seconds": ("gauge", "use"),
    "netscope_config_last_reload_successful": ("gauge", ""),
    "netscope_config_last_reload_success_timestamp_seconds": ("gauge", ""),
    "netscope_config_restart_pending": ("gauge", ""),
    "netscope_config_overrides": ("gauge", ""),
    "netscope_dispatch_drops_total": ("counter", ""),
    "netscope_kernel_drops_total": ("counter", ""),
    "netscope_kernel_if_drops_total": ("counter", ""),
    "process_cpu_seconds_total": ("counter", ""),
    "process_resident_memory_bytes": ("gauge", ""),
    "process_virtual_memory_bytes": ("gauge", ""),
    "process_start_time_seconds": ("gauge", ""),
    "process_open_fds": ("gauge", ""),
    "process_max_fds": ("gauge", ""),
}
# What has no sample until there is something to count, or offline, or without TLS.
MAY_BE_EMPTY = {"netscope_interface_up", "netscope_capture_lag_seconds", "netscope_stream_messages_dropped_total",
                "netscope_certificate_expiry_timestamp_seconds"}


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
        self.assertLessEqual(len(samples), MOST_SERIES)
        self.assertNotIn("10.10.0.34", answer.body.decode(), "an address of the capture is a label")
        self.assertEqual(set(types), set(families(ask(self.port, "GET", "/metrics").body.decode())[0]))
        self.end(running)

    def test_they_are_those_of_the_reference(self):
        certificate, key = certificates.Authority(self.folder, "ca").sign("web", "IP:127.0.0.1")
        running = self.serve("--expired-flows-jsonl", self.folder / "flows.jsonl", "--grpc", "--grpc-port", feeding.free_port(),
                             "--grpc-tls", "--grpc-tls-cert", certificate, "--grpc-tls-key", key, "--anomalies")
        self.await_analysed()
        types, samples = families(ask(self.metrics_port, "GET", "/metrics").body.decode())
        labels = {}
        for name, text in samples:
            family = re.sub("_(bucket|sum|count)$", "", name) if name not in types else name
            labels.setdefault(family, set()).add(",".join(re.findall(r'[{,]([a-z]+)="', text)).removesuffix("le").rstrip(","))
        for name, (kind, expected) in PROMISED.items():
            self.assertEqual(types.get(name), kind, name)
            if name not in MAY_BE_EMPTY:
                self.assertIn(name, labels)
            self.assertLessEqual(labels.get(name, set()), {expected}, name)
        self.assertIn("netscope_certificate_expiry_timestamp_seconds", labels)
        self.assertLessEqual(len(samples), MOST_SERIES)
        for name in types:
            self.assertRegex(name, "^(netscope|process)_[a-z_]+$")
            self.assertEqual(name.endswith("_total"), types[name] == "counter", name)
        self.end(running)

    def test_openmetrics_is_as_its_own_parser_wants_it(self):
        try:
            from prometheus_client.openmetrics import parser
        except ImportError:
            self.skipTest("needs python3-prometheus-client")
        running = self.serve()
        self.await_analysed()
        text = ask(self.metrics_port, "GET", "/metrics", headers={"Accept": OPENMETRICS}).body.decode()
        found = {family.name: family for family in parser.text_string_to_metric_families(text)}
        self.assertEqual(found["netscope_tick_duration_seconds"].unit, "seconds")
        self.assertEqual(found["netscope_capture_bytes"].unit, "bytes")
        self.assertEqual(found["netscope_build"].type, "info")
        self.assertEqual(found["netscope_flows_ended"].type, "counter")
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

    def test_an_output_that_fails_says_so(self):
        good = self.folder / "flows.csv"
        running = self.serve("--write-pcap", "/dev/full", "--expired-flows-jsonl", "/dev/full", "--expired-flows-csv", good)
        self.await_analysed()

        def of(output):
            return [self.metric(f'netscope_output_{name}{{output="{output}"}}') for name in ("failing", "errors_total")]

        for output in ("write_pcap", "expired_flows_jsonl"):
            sensor.until(lambda output=output: of(output) == [1, 1], 60, lambda output=output: f"{output}: {of(output)}")
            sensor.until(lambda output=output: self.metric(f'netscope_output_lost_total{{output="{output}"}}') > 0, 60,
                         lambda output=output: f"{output} lost nothing")
        sensor.until(lambda: self.metric('netscope_output_bytes_total{output="expired_flows_csv"}') > 0, 60, good.read_text)
        self.assertEqual(of("expired_flows_csv"), [0, 0])
        self.assertEqual(self.metric('netscope_output_lost_total{output="expired_flows_csv"}'), 0)
        self.end(running, code=sensor.OUTPUT)

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


# What differs between two scrapes of a sensor at rest.
MOVES = re.compile("netscope_(uptime_seconds|connections|connections_accepted_total|tick_duration_seconds.*|queue_depth)|process_.*|up|scrape_.*")
TOKEN = "token-of-prometheus"


def text_of(pairs):
    """The labels that a sensor gave, as in its text, without those of the scrape."""
    return tuple(sorted((name, value) for name, value in pairs if name not in ("__name__", "instance", "job")))


class Scraped(prometheus.PrometheusTest, WebTest):
    """A real Prometheus and real sensors."""

    def judge_same(self, found, text):
        """What the queries answer are the numbers of the text."""
        _, samples = families(text)
        exported = {(name, tuple(sorted(re.findall(r'([a-z]+)="([^"]*)"', labels)))): value
                    for (name, labels), value in samples.items() if not MOVES.fullmatch(name)}
        stored = {(dict(pairs)["__name__"], text_of(pairs)): value
                  for pairs, value in found.items() if not MOVES.fullmatch(dict(pairs)["__name__"])}
        self.assertEqual(stored, exported)
        self.assertGreater(len(stored), 100)

    def test_its_queries_return_what_was_exported(self):
        running = self.serve()
        self.await_analysed()
        server = self.start_prometheus(scrape("plain", self.metrics_port))
        server.await_scraped("plain")
        sensor.until(lambda: self.metric("netscope_active_flows") == server.value("netscope_active_flows"), 30, server.said)
        server.await_scraped("plain")
        self.judge_same(server.query('{job="plain"}'), ask(self.metrics_port, "GET", "/metrics").body.decode())
        count = len(capture_file.read_frames(CAPTURE))
        self.assertEqual(server.value("netscope_packets_analysed_total"), count)
        self.assertEqual(server.value("sum(netscope_capture_packets_total) - sum(netscope_packets_analysed_total) "
                                      "- sum(netscope_packets_duplicate_total) - sum(netscope_packets_lost_total)"), 0)
        help_of = server.ask("metadata", metric="netscope_kernel_drops")["netscope_kernel_drops"][0]  # it asks for OpenMetrics
        self.assertEqual(help_of["type"], "counter")
        self.assertIn("packets_lost_total", help_of["help"])
        self.end(running)

    def secrets(self):
        authority = certificates.Authority(self.folder, "ca")
        certificate, key = authority.sign("sensor", "DNS:sensor.example")
        client = authority.sign("scraper", "DNS:scraper.example")
        password, token, tokens = (self.folder / name for name in ("password", "token", "tokens"))
        for path, text in ((password, "open sesame\n"), (token, TOKEN),
                           (tokens, f"prometheus viewer {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")):
            path.write_text(text, encoding="ascii")
            path.chmod(0o600)
        tls = {"scheme": "https", "tls_config": {"ca_file": str(authority.certificate), "server_name": "sensor.example"}}
        return authority, ["--metrics-tls", "--metrics-tls-cert", certificate, "--metrics-tls-key", key], client, tls

    def test_it_comes_by_tls_with_a_password_a_token_or_a_certificate(self):
        authority, with_tls, client, tls = self.secrets()
        certified = tls["tls_config"] | {"cert_file": str(client[0]), "key_file": str(client[1])}
        ways = {
            "tls": ([], tls),
            "password": (["--metrics-auth", "--metrics-auth-user", "prometheus", "--metrics-auth-pass-file", self.folder / "password"],
                         tls | {"basic_auth": {"username": "prometheus", "password_file": str(self.folder / "password")}}),
            "token": (["--metrics-tokens-file", self.folder / "tokens"],
                      tls | {"authorization": {"credentials_file": str(self.folder / "token")}}),
            "certificate": (["--metrics-tls-client-ca", authority.certificate, "--metrics-caller", "san=scraper.example viewer"],
                            tls | {"tls_config": certified}),
        }
        jobs, sensors = [], []
        for name, (arguments, job) in ways.items():
            sensors.append(self.serve(*with_tls, *arguments))
            jobs.append(scrape(name, self.metrics_port, **job))
            if name != "tls":  # and without credentials
                jobs.append(scrape(f"{name}-without", self.metrics_port, **tls))
        server = self.start_prometheus(*jobs)
        server.await_scraped(*ways)
        count = len(capture_file.read_frames(CAPTURE))
        for name in ways:
            sensor.until(lambda name=name: server.value(f'netscope_packets_analysed_total{{job="{name}"}}') == count, 60, server.said)
        for name in set(ways) - {"tls"}:
            sensor.until(lambda name=name: server.value(f'up{{job="{name}-without"}}') == 0, 60, server.said)
            self.assertIsNone(server.value(f'netscope_packets_analysed_total{{job="{name}-without"}}'))
        for running in sensors:
            self.end(running)


def answers(count):
    """DNS answers, each of a name and an address of its own, from a server to a client of its own."""
    question = b"\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x09%s\x04test\x00\x00\x01\x00\x01"
    for number in range(count):
        host = f"h{number:08d}".encode()
        address = f"{20 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.7"
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04" + struct.pack(">I", 0x32000000 + number)
        yield feeding.udp_frame("192.0.2.53", 53, address, 40000, question % host + record)


class Cardinality(prometheus.PrometheusTest, WebTest):
    """However much is seen, there are as many series."""

    FEW, MANY = 10, 1_000_000

    def series(self, count):
        """Serves a capture of so many answers; the series in a real Prometheus, without those of the scrape."""
        path = self.folder / "answers.pcap"
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
            for number, frame in enumerate(answers(count)):
                file.write(struct.pack("<IIII", 1_700_000_000 + number // 20000, number % 20000 * 50, len(frame), len(frame)) + frame)
        running = self.serve("--max-flows", "50000", "--anomalies", capture=path)
        sensor.until(lambda: self.metric("netscope_packets_analysed_total") == count, 240, lambda: "too few packets")
        self.assertEqual(self.metric("netscope_flows_created_total"), count)
        server = prometheus.Prometheus(self.folder, [scrape("sensor", self.metrics_port)])
        try:
            server.await_scraped("sensor")
            found = {(dict(pairs)["__name__"], text_of(pairs)) for pairs in server.query('{__name__=~"(netscope|process)_.*"}')}
            self.assertEqual(server.value("netscope_packets_analysed_total"), count)
        finally:
            server.stop()
            shutil.rmtree(self.folder / "tsdb")
        self.end(running)
        return found

    def test_a_million_addresses_and_names_make_no_series(self):
        few = self.series(self.FEW)
        self.assertEqual(self.series(self.MANY), few)
        self.assertLessEqual(len(few), MOST_SERIES)


class Interfaces(namespaces.NamespaceTest, sensor.SensorTest):
    """Whether what the settings name is captured, in a namespace of its own."""

    ASK = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9873/metrics').read().decode())"

    def up(self, word):
        """None = there is no such series."""
        text = namespaces.command(*self.net.inside("sensor"), "python3", "-c", self.ASK).stdout
        found = re.search(rf'^netscope_interface_up{{interface="{re.escape(word)}"}} (\d)$', text, re.MULTILINE)
        return int(found[1]) if found else None

    def capture(self, interfaces):
        self.settings.write_text(f"capture: {{interfaces: {interfaces}, on_missing: wait}}\n", encoding="utf-8")

    def test_every_word_of_the_settings_is_told_and_no_other(self):
        self.net = self.make("sensor", "peer")
        self.settings = self.folder / "netscope.yaml"
        self.capture("[lo, 'in*', none0]")
        running = sensor.Running("--config", self.settings, "--quiet", "--metrics", prefix=self.net.inside("sensor"))
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        self.assertEqual([self.up(word) for word in ("lo", "in*", "none0")], [1, 0, 0])
        self.net.join("peer", "out0", "sensor", "in0")
        sensor.until(lambda: self.up("in*") == 1, 30, running.stderr)
        self.net.ip("sensor", "link", "del", "in0")
        sensor.until(lambda: self.up("in*") == 0, 30, running.stderr)
        self.capture("[lo]")
        sensor.until(lambda: self.up("in*") is None and self.up("none0") is None, 30, running.stderr)
        self.assertEqual(self.up("lo"), 1)
        self.assertEqual(running.end(), sensor.DONE, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()))


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
