#!/usr/bin/env python3
"""What deploy/ has for Prometheus and Grafana: rules, dashboard, compose file, judged by promtool and a real Prometheus that
scrapes a real sensor."""

import json
import os
import re
import unittest

import yaml

import certificates
import feeding
import namespaces
import prometheus
import sensor
import shipping
import web_client
from prometheus import scrape

DEPLOY = sensor.ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "netscope.rules.yaml"
RULES_TEST = DEPLOY / "prometheus" / "netscope.rules.test.yaml"
DASHBOARD = DEPLOY / "grafana" / "netscope.json"
RUNBOOKS = sensor.ROOT / "docs" / "runbooks.md"

# The list, by the alert that stands for each.
WANTED = {"NetScopeCaptureDown", "NetScopeLossHigh", "NetScopeTableSaturated", "NetScopeOutputsFailing",
          "NetScopeCertificateExpiring", "NetScopeReloadFailed", "NetScopeRestartPending", "NetScopeDetectorDegraded",
          "NetScopeSeesNoTraffic"}
SENSOR_NAME = "{{ $labels.instance }}{{ with $labels.node }} on {{ . }}{{ end }}"
# These are not about one sensor.
OF_NO_SENSOR = {"NetScopeAbsent", "NetScopePodsMissing"}
OWN_NAME = re.compile(r"(?<![:\w])(?:netscope|process)_[a-z_]+(?![:\w])")  # recorded ones have colons


def load_yaml(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules():
    return [rule for group in load_yaml(RULES)["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def names_in(expression):
    """Names of families in an expression, what stands in quotes left out."""
    return {re.sub("_(bucket|sum|count)$", "", name) for name in OWN_NAME.findall(re.sub(r'"[^"]*"', "", expression))}


def panels():
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions():
    """Of the dashboard, as Grafana would send them."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    written = [target["expr"] for panel in panels() for target in panel["targets"]]
    written += [row["expr"] for row in board["annotations"]["list"] if "expr" in row]
    return [text.replace("$__rate_interval", "10s").replace("$node", ".*") for text in written]


class Rules(unittest.TestCase):
    def test_every_alert_says_what_it_is_and_what_to_do(self):
        anchors = {re.sub("[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-")
                   for line in re.findall("^#+ (.*)$", RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE)}
        for rule in alerts():
            name = rule["alert"]
            self.assertIn(rule["labels"]["severity"], ("info", "warning", "critical"), name)
            self.assertRegex(rule["for"], "^[0-9]+[mh]$", name)
            self.assertEqual(set(rule["annotations"]), {"summary", "description", "runbook_url"}, name)
            named = SENSOR_NAME in rule["annotations"]["summary"]
            self.assertEqual(named, name not in OF_NO_SENSOR, name)
            page, anchor = rule["annotations"]["runbook_url"].split("#")
            self.assertEqual((page, anchor), ("docs/runbooks.md", name.lower()))
            self.assertIn(anchor, anchors)
        self.assertLessEqual(WANTED, {rule["alert"] for rule in alerts()})

    def test_every_alert_is_tested_firing_and_not(self):
        fires, rests = set(), set()
        for case in (case for test in load_yaml(RULES_TEST)["tests"] for case in test.get("alert_rule_test", [])):
            if not case["exp_alerts"]:
                rests.add(case["alertname"])
            fires |= {(case["alertname"], alert["exp_labels"]["severity"]) for alert in case["exp_alerts"]}
        self.assertEqual(fires, {(rule["alert"], rule["labels"]["severity"]) for rule in alerts()})
        self.assertEqual(rests, {rule["alert"] for rule in alerts()})

    @shipping.needs("promtool")
    def test_promtool_is_content(self):
        self.assertIn("SUCCESS", shipping.command("promtool", "check", "rules", RULES))
        self.assertIn("SUCCESS", shipping.command("promtool", "test", "rules", RULES_TEST))
        shipping.command("promtool", "check", "config", DEPLOY / "prometheus" / "prometheus.yaml")


class Board(sensor.SensorTest):
    def test_the_chart_has_the_same(self):
        files = sensor.ROOT / "helm" / "netscope" / "files"
        for path in (RULES, DASHBOARD):
            self.assertEqual((files / path.name).read_text(encoding="utf-8"), path.read_text(encoding="utf-8"), f"{path.name}: run scripts/generate-docs")

    def test_it_asks_for_its_data_source(self):
        board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        variables = {row["name"]: row for row in board["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        self.assertEqual(set(variables), {"datasource", "node"})
        sources = {json.dumps(part["datasource"]) for panel in panels() for part in [panel, *panel["targets"]]}
        self.assertEqual(sources, {json.dumps({"type": "prometheus", "uid": "${datasource}"})})
        for expression in (target["expr"] for panel in panels() for target in panel["targets"]):
            self.assertIn('instance=~"$node"', expression)
        for target in (target for panel in panels() for target in panel["targets"]):
            if "{{instance}}" in target["legendFormat"]:
                self.assertIn("{{node}} {{instance}}", target["legendFormat"])
                for kept in re.findall(r"\bby \(([^)]*)\)", target["expr"]):
                    self.assertIn("node", kept.split(", "), target["expr"])
        kept = [re.search(pattern, 'netscope_build_info{instance="10.0.0.1:9873",job="x",node="worker-1"} 1 1700000000000')[1]
                for pattern in variables["node"]["regex"].strip("/g").replace("(?<", "(?P<").split("|")]
        self.assertEqual(kept, ["10.0.0.1:9873", "worker-1"])

    @shipping.needs("promtool")
    def test_a_pod_that_follows_another_is_no_error(self):
        """Both pods of an instance are within the range of a rate for a while: 1 s of CPU for 60000 packets by either."""
        def series(name, value):
            pods = {"before": f"{value}x10", "after": f"{'_ ' * 10}{value}x30"}
            return [{"series": f'{name}{{job="netscope",instance="a:9873",pod="{pod}"}}', "values": values} for pod, values in pods.items()]

        (panel,) = [panel for panel in panels() if panel["title"] == "CPU of a packet"]
        expression = panel["targets"][0]["expr"].replace("$__rate_interval", "2m").replace("$node", ".*")
        test = {"interval": "30s", "promql_expr_test": [{
            "expr": f"round(6e7 * ({expression}), 1)", "eval_time": "6m30s",
            "exp_samples": [{"labels": '{job="netscope",instance="a:9873"}', "value": 1000}]}]}
        test["input_series"] = [*series("netscope_build_info", "1+0"), *series("process_cpu_seconds_total", "0+1"),
                                *series("netscope_packets_analysed_total", "0+60000")]
        path = self.folder / "rollover.yaml"
        path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": [test]}), encoding="utf-8")
        self.assertIn("SUCCESS", shipping.command("promtool", "test", "rules", path))

    def test_its_panels_are_apart(self):
        places, numbers = set(), []
        for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
            at = panel["gridPos"]
            squares = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            self.assertFalse(places & squares, panel["title"])
            places |= squares
            numbers.append(panel["id"])
        self.assertEqual(len(set(numbers)), len(numbers))


class Scraped(prometheus.PrometheusTest, sensor.SensorTest):
    """A sensor captures loopback, and has every trouble that a rule can tell at once; Prometheus scrapes it, with the rules."""

    SETTINGS = """
capture: {{interfaces: [lo, netscope-none0], on_missing: wait}}
output: {{write_pcap: /dev/full, expired_flows_jsonl: "{folder}/flows.jsonl"}}
pipeline: {{workers: {workers}}}
"""
    TROUBLES = {"NetScopeCaptureDown", "NetScopeOutputsFailing", "NetScopeCertificateExpiring", "NetScopeReloadFailed",
                "NetScopeRestartPending"}
    # Nothing of these happens in this test: nothing is refused, raised or not decoded, and no client streams.
    QUIET = re.compile(r"> 0\)?$|dropped_total|^changes\(")

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("needs root to capture loopback")

    def start_sensor(self):
        self.settings = self.folder / "netscope.yaml"
        self.settings.write_text(self.SETTINGS.format(folder=self.folder, workers=1), encoding="utf-8")
        self.port = feeding.free_port()
        certificate, key = certificates.Authority(self.folder, "ca").sign("sensor", "IP:127.0.0.1")  # of two days
        running = sensor.Running(
            "--config", self.settings, "--quiet", "--anomalies", "--metrics", "--metrics-port", self.port, "--grpc", "--grpc-port",
            feeding.free_port(), "--grpc-tls", "--grpc-tls-cert", certificate, "--grpc-tls-key", key)
        self.addCleanup(running.close)
        feeding.await_port(self.port, running)
        namespaces.await_capture(running)
        return running

    def metric(self, name):
        found = re.search(rf"(?m)^{name} (\S+)$", web_client.ask(self.port, "GET", "/metrics").body.decode())
        return float(found[1]) if found else None

    def make_trouble(self, running):
        """A setting that waits for a restart, then a file that is wrong; it is looked at every two seconds."""
        self.settings.write_text(self.SETTINGS.format(folder=self.folder, workers=2), encoding="utf-8")
        sensor.until(lambda: self.metric("netscope_config_restart_pending") == 1, 60, running.stderr)
        self.settings.write_text("no such key: 1\n", encoding="utf-8")
        sensor.until(lambda: self.metric("netscope_config_last_reload_successful") == 0, 60, running.stderr)

    def test_prometheus_takes_rules_and_dashboard(self):
        running = self.start_sensor()
        server = self.start_prometheus(scrape("netscope", self.port), rules=[RULES])
        server.await_scraped("netscope")
        self.make_trouble(running)
        # As OpenMetrics, which Prometheus asks for, names families.
        known = {name + {"counter": "_total", "info": "_info"}.get(family[0]["type"], "")
                 for name, family in server.ask("metadata").items()}
        self.judge_rules(server, known)
        self.judge_dashboard(server, known)
        self.assertEqual(running.end(), sensor.OUTPUT, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())

    def judge_rules(self, server, known):
        def loaded():
            return [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]

        def troubles():
            """What would fire in a while: their "for" is minutes."""
            return {rule["name"] for rule in loaded() if rule.get("state", "inactive") != "inactive"}

        self.assertEqual(len(loaded()), len(rules()))
        sensor.until(lambda: all(rule["health"] == "ok" for rule in loaded()), 60, lambda: str(loaded()))
        sensor.until(lambda: troubles() == self.TROUBLES, 60, lambda: f"{troubles()} are told")
        for rule in rules():
            self.assertLessEqual(names_in(rule["expr"]), known, rule)
        sensor.until(lambda: server.query("instance:netscope_capture_packets:rate5m"), 60, server.said)
        self.assertTrue(server.query("instance:netscope_flow_table:ratio"))

    def judge_dashboard(self, server, known):
        self.assertGreater(len(expressions()), 40)
        for expression in expressions():
            self.assertLessEqual(names_in(expression), known, expression)
            if self.QUIET.search(expression):
                server.query(expression)
            else:
                sensor.until(lambda expression=expression: server.query(expression), 60, lambda expression=expression: expression)
        families = {name for name in known if name.startswith("netscope_")}
        shown = set().union(*map(names_in, expressions()))
        print(f"FIGURE: the dashboard shows {len(shown & families)} of {len(families)} families; not {sorted(families - shown)}")


class Compose(sensor.SensorTest):
    """No docker here: what the file says, and whether the sensor takes its words."""

    def setUp(self):
        super().setUp()
        self.file = load_yaml(DEPLOY / "compose.yaml")
        self.services = self.file["services"]

    def test_nobody_has_more_than_it_needs(self):
        self.assertEqual(set(self.services), {"sensor", "prometheus", "grafana"})
        for name, service in self.services.items():
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertTrue(service["read_only"], name)
            self.assertNotIn("privileged", service)
            self.assertEqual(service.get("cap_add", []), ["NET_RAW"] if name == "sensor" else [])
            self.assertEqual(service["network_mode"], "host")
            self.assertNotIn("ports", service)  # means nothing with the host's network
        self.assertEqual(self.services["sensor"]["user"], "65532:65532")

    def test_all_listen_on_loopback(self):
        self.assertIn("--web.listen-address=127.0.0.1:9090", self.services["prometheus"]["command"])
        self.assertEqual(self.services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"], "127.0.0.1")
        self.assertFalse([word for word in self.services["sensor"]["command"] if "0.0.0.0" in word])

    def test_what_is_mounted_is_there(self):
        for name, service in self.services.items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                there = (DEPLOY / source).exists() if source.startswith(".") else source in self.file["volumes"]
                self.assertTrue(there, f"{name}: {source}")

    def test_the_parts_agree(self):
        source = load_yaml(DEPLOY / "grafana" / "provisioning" / "datasources" / "netscope.yaml")["datasources"][0]
        self.assertEqual(source["url"], "http://127.0.0.1:9090")
        provider = load_yaml(DEPLOY / "grafana" / "provisioning" / "dashboards" / "netscope.yaml")["providers"][0]
        self.assertIn(f":{provider['options']['path']}/netscope.json:", "".join(self.services["grafana"]["volumes"]))
        jobs = load_yaml(DEPLOY / "prometheus" / "prometheus.yaml")["scrape_configs"]
        targets = [target for job in jobs for group in job["static_configs"] for target in group["targets"]]
        shown = yaml.safe_load(self.check(sensor.run(*self.services["sensor"]["command"], "--print-config")).stdout)
        self.assertEqual(targets, [f"127.0.0.1:{shown['metrics']['port']}"])

    def test_the_sensor_takes_its_words(self):
        self.check(sensor.run(*self.services["sensor"]["command"], "--check-config"))


if __name__ == "__main__":
    sensor.main()
