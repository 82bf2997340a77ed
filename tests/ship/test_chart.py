#!/usr/bin/env python3
"""The Helm chart without a cluster: rendered by Helm 3 and 4, judged by their lint, by helm-unittest, and by the sensor itself.

Where Go is absent, and the tools were not built before, it says so and skips.
"""

import itertools
import json
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import certificates
import chart
import sensor
import yaml

SELECTED_BY = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
NODE = {"spec.nodeName": "worker-1", "status.hostIP": "192.0.2.10"}
TLS = ("--set", "tls.mode=existingSecret", "--set", "tls.existingSecret=own")
CALLERS = ("--set", "auth.existingSecret=callers")
# What chart-testing's lint asks of the YAML.
LINT = """{extends: relaxed, rules: {line-length: disable, indentation: {spaces: consistent, indent-sequences: whatever},
 key-duplicates: enable, trailing-spaces: enable, new-line-at-end-of-file: enable, empty-lines: {max: 2}, colons: enable, commas: enable,
 comments: {min-spaces-from-content: 2}, hyphens: {max-spaces-after: 1}, truthy: {level: error}}}"""


def setUpModule():
    chart.tool("helm3")
    chart.tool("helm4")


def settings_of(found):
    return yaml.safe_load(settings_text(found))


def settings_text(found):
    (text,) = [item["data"]["netscope.yaml"] for (kind, _), item in found.items() if kind == "ConfigMap" and "netscope.yaml" in item["data"]]
    return text


def pod_of(found):
    return chart.only(found, "DaemonSet")["spec"]["template"]["spec"]


def container_of(found):
    return pod_of(found)["containers"][0]


def paths_of(values):
    """name.name -> value of each value; one whose keys are its user's is whole."""
    for name, value in values.items():
        if isinstance(value, dict) and value and name not in OWN_KEYS:
            for path, below in paths_of(value):
                yield f"{name}.{path}", below
        else:
            yield name, value


OWN_KEYS = {"affinity", "labels", "nodeSelector", "podAnnotations", "resources", "rollingUpdate"}


class Values(unittest.TestCase):
    """Each ci values file, and what their objects have to agree upon."""

    def test_every_value_is_tried(self):
        """All in one file, and each otherwise than shipped in some."""
        shipped = dict(paths_of(yaml.safe_load((chart.CHART / "values.yaml").read_text())))
        files = {path.name: dict(paths_of(yaml.safe_load(path.read_text()))) for path in chart.CI_VALUES}

        def untold(told):
            return {path for path in shipped if not any(f"{one}.".startswith(f"{path}.") for one in told)}

        self.assertEqual(untold(files["everything-values.yaml"]), set())
        changed = {path for values in files.values() for path, value in values.items() if value != shipped.get(path)}
        self.assertEqual(untold(changed), {"config.metrics.enabled", "tls.certManager.issuerRef.group"})

    def test_lint_finds_nothing(self):
        for name in chart.HELMS:
            for values in chart.CI_VALUES:
                with self.subTest(helm=name, values=values.name):
                    said = chart.helm(name, "lint", "--strict", chart.CHART, "--values", values)
                    self.assertNotIn("[WARNING]", said)
                    self.assertNotIn("[ERROR]", said)

    def test_both_helms_render_the_same(self):
        for values in chart.CI_VALUES:
            with self.subTest(values=values.name):
                self.assertEqual(*(chart.render("--values", values, name=name) for name in chart.HELMS))

    def test_selectors_ports_and_monitors_agree(self):
        for values in chart.CI_VALUES:
            with self.subTest(values=values.name):
                self.judge(chart.render("--values", values))

    def judge(self, found):
        daemon = chart.only(found, "DaemonSet")
        labels = daemon["spec"]["template"]["metadata"]["labels"]
        selector = daemon["spec"]["selector"]["matchLabels"]
        self.assertEqual(selector.keys(), SELECTED_BY)
        ports = {port["name"]: port for port in container_of(found)["ports"]}
        for (kind, _), item in found.items():
            spec = item.get("spec", {})
            if kind == "Service":
                self.assertEqual(spec["selector"], selector)
                self.assertLessEqual({port["targetPort"] for port in spec["ports"]}, ports.keys())
            elif kind == "ServiceMonitor":
                service = chart.only(found, "Service")
                self.assertLessEqual(spec["selector"]["matchLabels"].items(), service["metadata"]["labels"].items())
                self.assertIn(spec["endpoints"][0]["port"], {port["name"] for port in service["spec"]["ports"]})
            elif kind == "PodMonitor":
                self.assertEqual(spec["selector"]["matchLabels"], selector)
                self.assertIn(spec["podMetricsEndpoints"][0]["port"], ports)
            elif kind == "Pod":
                self.assertFalse(selector.items() <= item["metadata"]["labels"].items(), "the test is taken for a sensor")
            if kind.endswith("Monitor"):
                self.assertEqual(spec["namespaceSelector"]["matchNames"], [daemon["metadata"]["namespace"]])
        self.assertLessEqual(selector.items(), labels.items())
        for port in ports.values():
            self.assertEqual(port["hostPort"], port["containerPort"])
        for name, port in ports.items():
            self.assertEqual(settings_of(found)[name]["port"], port["containerPort"])

    def test_the_sensor_takes_what_is_rendered(self):
        """With what the node and the mounted Secrets would bring."""
        for values in chart.CI_VALUES:
            with self.subTest(values=values.name), tempfile.TemporaryDirectory(prefix="netscope-test-chart-") as folder:
                self.judge_settings(chart.render("--values", values), Path(folder))

    def judge_settings(self, found, folder):
        authority = certificates.Authority(folder, "ca-of-test")
        certificate, key = authority.sign("sensor", "DNS:netscope.observe.svc")
        for name, source in (("tls.crt", certificate), ("tls.key", key), ("ca.crt", authority.certificate)):
            shutil.copy(source, folder / name)
        reader = "reader viewer " + "0" * 64
        for name, text in (("tokens", reader), ("readers", reader), ("password", "a password of sixteen")):
            (folder / name).write_text(text + "\n")
            (folder / name).chmod(0o440)
        text = settings_text(found)
        for mounted in ("/etc/netscope/tls", "/etc/netscope/auth", "/var/lib/netscope"):
            text = text.replace(mounted, str(folder))
        (folder / "netscope.yaml").write_text(text)
        container = container_of(found)
        environment = {}
        for variable in container["env"]:
            field = variable.get("valueFrom", {}).get("fieldRef")
            if field or "value" in variable:
                environment[variable["name"]] = NODE[field["fieldPath"]] if field else variable["value"]
        flags = ["--config", folder / "netscope.yaml", *container["args"][2:]]
        done = sensor.run(*flags, "--check-config", settings=environment)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done.stderr.decode())


class Defaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.found = chart.render()

    def test_the_objects_are_few(self):
        self.assertEqual({kind for kind, _ in self.found}, {"ConfigMap", "DaemonSet", "Pod", "Service", "ServiceAccount"})

    def test_the_pod_may_as_little_as_can_be(self):
        pod, container = pod_of(self.found), container_of(self.found)
        self.assertTrue(pod["hostNetwork"])
        self.assertEqual((pod["automountServiceAccountToken"], pod["enableServiceLinks"]), (False, False))
        self.assertEqual(pod["dnsPolicy"], "ClusterFirstWithHostNet")
        self.assertEqual(pod["securityContext"], {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
                                                  "seccompProfile": {"type": "RuntimeDefault"}})
        self.assertEqual(container["securityContext"], {
            "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}})
        for key in ("hostPID", "hostIPC"):
            self.assertNotIn(key, pod)
        self.assertFalse([volume for volume in pod["volumes"] if "hostPath" in volume])
        self.assertFalse(chart.only(self.found, "ServiceAccount")["automountServiceAccountToken"])

    def test_resources_and_settings_suit_a_node(self):
        self.assertEqual(container_of(self.found)["resources"],
                         {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}})
        settings = settings_of(self.found)
        self.assertEqual((settings["capture"]["on_missing"], settings["capture"]["promiscuous"]), ("wait", False))
        self.assertEqual(settings["flow"], {"active_timeout_secs": 60, "max_flows": 200000})
        self.assertEqual((settings["web"]["payload_bytes"], settings["output"]["alerts_jsonl"]), (0, "-"))
        self.assertEqual([settings[name]["port"] for name in ("grpc", "web", "metrics")], [9871, 9872, 9873])
        self.assertEqual([port["name"] for port in container_of(self.found)["ports"]], ["metrics"])

    def test_the_config_is_mounted_as_a_folder(self):
        """A file by subPath would never change."""
        pod, container = pod_of(self.found), container_of(self.found)
        (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "config"]
        self.assertNotIn("subPath", mount)
        self.assertEqual(container["args"][1], f"{mount['mountPath']}/netscope.yaml")
        for one in container["volumeMounts"]:
            nested = [other for other in container["volumeMounts"] if other["mountPath"].startswith(one["mountPath"] + "/")]
            self.assertEqual(nested, [], "a mount in a mount that is read-only cannot be made")
        self.assertIn("configMap", [volume for volume in pod["volumes"] if volume["name"] == "config"][0])

    def test_a_changed_setting_restarts_only_who_asks_for_it(self):
        change = ("--set", "config.flow.max_flows=1000")
        self.assertEqual(chart.only(chart.render(*change), "DaemonSet"), chart.only(self.found, "DaemonSet"))
        roll = ("--set", "rollOnConfigChange=true")
        self.assertNotEqual(chart.only(chart.render(*roll, *change), "DaemonSet"), chart.only(chart.render(*roll), "DaemonSet"))

    def test_root_is_as_narrow(self):
        found = chart.render("--set", "runAsRoot=true")
        self.assertEqual(pod_of(found)["securityContext"]["runAsUser"], 0)
        self.assertEqual(container_of(found)["securityContext"], {
            "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}})

    def test_values_of_nothing_count(self):
        """false, 0 and "" over the chart's own, which templates lose easily."""
        found = chart.render(*TLS, *CALLERS, *chart.sets(
            "securityContext.readOnlyRootFilesystem=false", "podSecurityContext.runAsUser=0", "config.output.alerts_jsonl=",
            "config.web.enabled=true", "config.web.tls.enabled=false", "config.flow.active_timeout_secs=0"))
        self.assertFalse(container_of(found)["securityContext"]["readOnlyRootFilesystem"])
        self.assertEqual(pod_of(found)["securityContext"]["runAsUser"], 0)
        settings = settings_of(found)
        self.assertEqual((settings["output"]["alerts_jsonl"], settings["flow"]["active_timeout_secs"]), ("", 0))
        self.assertFalse(settings["web"]["tls"]["enabled"])

    def test_probes_ask_where_it_listens(self):
        for bind, host in (("node", None), ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("0.0.0.0", None), ("192.0.2.7", "192.0.2.7")):
            with self.subTest(bind=bind):
                container = container_of(chart.render("--set", f"config.metrics.bind={bind}"))
                for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                    self.assertEqual(container[name]["httpGet"].get("host"), host)
                    self.assertEqual((container[name]["httpGet"]["port"], container[name]["httpGet"]["scheme"]), ("metrics", "HTTP"))
        container = container_of(chart.render(*TLS, "--set", "tls.listeners.metrics=true"))
        self.assertEqual(container["livenessProbe"]["httpGet"]["scheme"], "HTTPS")

    def test_the_image_by_tag_digest_and_mirror(self):
        digest = "sha256:" + "a" * 64
        for words, image in (((), "netscope:0.1.0"), (("image.registry=r.example/team",), "r.example/team/netscope:0.1.0"),
                             (("image.tag=v1",), "netscope:v1"), ((f"image.digest={digest}", "image.tag=v1"), f"netscope@{digest}"),
                             (("image.registry=r.example", "global.imageRegistry=m.example"), "m.example/netscope:0.1.0")):
            with self.subTest(words=words):
                found = chart.render(*chart.sets(*words))
                self.assertEqual(container_of(found)["image"], image)
                self.assertEqual(chart.only(found, "Pod")["spec"]["containers"][0]["image"], image)
        found = chart.render("--set", "global.imagePullSecrets={a}", "--set", "imagePullSecrets[0].name=b")
        self.assertEqual(pod_of(found)["imagePullSecrets"], [{"name": "a"}, {"name": "b"}])

    def test_large_numbers_stay_numbers(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as values:
            values.write("config: {flow: {max_flows: 100000000}, metrics: {port: 65535}}\n")
            values.flush()
            found = chart.render("--values", values.name)
        self.assertIn("max_flows: 100000000\n", settings_text(found))
        self.assertEqual(container_of(found)["ports"][0]["containerPort"], 65535)

    def test_a_parent_chart_may_name_everything_else(self):
        found = chart.render(*("--set-string", "global.anything=1", "--set", "fullnameOverride=sensors,namespaceOverride=elsewhere"))
        self.assertEqual({item["metadata"]["namespace"] for item in found.values()}, {"elsewhere"})
        self.assertIn(("DaemonSet", "sensors"), found)


OWN = ("config.metrics.tls.enabled=true", "config.metrics.tls.cert_path=/certificates/own.crt",
       "config.metrics.tls.key_path=/certificates/own.key")
ALL_PARTS = ("monitor.kind=pod,prometheusRule.enabled=true,dashboard.enabled=true,tls.mode=certManager,tls.certManager.issuerRef.name=ca,"
             "tls.listeners.metrics=true,auth.existingSecret=callers,config.web.enabled=true")
# What is said to null for values that nothing can do without; the others go by Kubernetes' or the sensor's own.
BY_NULL = {key: f"{key} is null" for key in (
    "image", "image.repository", "config", "tls", "tls.mode", "tls.listeners", "tls.clientCA", "tls.certManager", "tls.certManager.issuerRef",
    "auth", "monitor", "monitor.kind", "prometheusRule", "dashboard", "service", "serviceAccount", "tests")} | {
    "config.metrics": "set config.metrics.bind to", "config.metrics.enabled": "set config.metrics.bind to",
    "config.metrics.bind": "set it to node", "tls.certManager.issuerRef.name": "name the issuer"}


def nulls_in(item, at):
    """Where an object has null for a value."""
    if item is None:
        yield at
    elif isinstance(item, (dict, list)):
        for key, value in item.items() if isinstance(item, dict) else enumerate(item):
            yield from nulls_in(value, (*at, key))


class Refused(unittest.TestCase):
    """What is wrong ends in words that say so, before anything reaches a cluster."""

    def refused(self, words, *sentences):
        arguments = [word for value in words for word in (("--set", value) if not value.startswith("--") else value.split(" ", 1))]
        for name in chart.HELMS:
            said = chart.template(*arguments, name=name, code=1)
            for sentence in sentences:
                self.assertIn(sentence, said, name)

    def test_by_the_schema(self):
        for word, *sentences in (
                ("config.capture.snaplem=2048", "/config/capture", "snaplem"),
                ("config.capture.snaplen=300000", "/config/capture/snaplen", "maximum"),
                ("config.capture.snaplen=much", "/config/capture/snaplen", "integer"),
                ("config.capture.on_missing=maybe", "/config/capture/on_missing", "'exit', 'wait'"),
                ("config.flow.timeout_secs=1y", "/config/flow/timeout_secs", "pattern"),
                ("config.captur.snaplen=1", "/config", "captur"),
                ("imagee.tag=1", "imagee"),
                ("image.digest=sha256:12", "/image/digest", "pattern"),
                ("extraEnv[0].value=x", "/extraEnv/0", "name"),
                ("monitor.kind=both", "/monitor/kind", "'pod', 'service'"),
                ("tls.mode=selfSigned", "/tls/mode", "'certManager'"),
                ("updateStrategy.rollingUpdate.maxSurge=1", "/updateStrategy/rollingUpdate", "maxSurge"),
                ("terminationGracePeriodSeconds=1", "/terminationGracePeriodSeconds", "minimum")):
            with self.subTest(word=word):
                self.refused((word,), *sentences)

    def test_a_streamed_file_without_a_bound(self):
        volume = ("extraVolumeMounts[0].name=files", "extraVolumeMounts[0].mountPath=/files")
        for key in ("alerts_jsonl", "expired_flows_jsonl", "expired_flows_csv"):
            path = f"config.output.{key}=/files/x"
            with self.subTest(key=key):
                self.refused((*volume, path), "/config/output", "rotate_mb", "max_files")
                self.refused((*volume, path, "config.output.rotate_mb=10"), "max_files")
                self.refused((*volume, path, "config.output.rotate_mb=10", "config.output.max_files=0"), "max_files")
                chart.template(*chart.sets(*volume, path, "config.output.rotate_mb=10", "config.output.max_files=3"))
        self.refused((*volume, "config.output.write_pcap=/files/x"), "write_pcap_rotate_mb", "write_pcap_max_files")

    def test_by_the_chart(self):
        for words, *sentences in (
                (("config.web.enabled=true", "config.web.port=9873"), "config.metrics.port and config.web.port are both 9873"),
                (("config.metrics.enabled=false",), "config.metrics.bind to 127.0.0.1"),
                (("config.metrics.bind=",), "config.metrics.bind to 127.0.0.1"),
                (("config.metrics.bind=127.0.0.1", "monitor.kind=pod"), "set it to node"),
                (("config.grpc.bind=node",), "config.grpc.bind is node", "tls.mode", "config.grpc.insecure"),
                (("config.grpc.bind=0.0.0.0", "tls.mode=existingSecret", "tls.existingSecret=s"), "auth.existingSecret"),
                (("config.web.enabled=true", "config.web.bind=node", "auth.existingSecret=s"), "config.web.bind is node"),
                (("tls.mode=existingSecret",), "tls.existingSecret"),
                (("tls.mode=certManager",), "tls.certManager.issuerRef.name"),
                (("tls.clientCA.grpc=true",), "set tls.mode"),
                (("config.web.auth.password=secret",), "auth.existingSecret"),
                (("config.output.export_json=/out/flows.json",), "extraVolumeMounts", "/out/flows.json"),
                (("config.output.expired_flows_jsonl=-",), "config.output.alerts_jsonl all go to standard output"),
                (("config.grpc.socket=/tmp/x.sock",), "below /run/netscope/"),
                (("monitor.kind=service", "service.enabled=false"), "monitor.kind to pod"),
                (("monitor.kind=pod", "config.metrics.tls.enabled=true"), "monitor.caSecret"),
                (("monitor.kind=pod", "config.metrics.auth.enabled=true"), "monitor.credentials"),
                (("tls.mode=certManager", "tls.certManager.issuerRef.name=ca"), "no port would use"),
                ((*OWN, "monitor.kind=pod"), "another than that of tls", "monitor.caSecret"),
                ((*OWN, "monitor.kind=pod", "tls.mode=existingSecret", "tls.existingSecret=s", "tls.listeners.metrics=true"), "monitor.caSecret"),
                (("config.metrics.tls.client_ca_path=/certificates/ca.crt",), "kubelet's probes", "config.metrics.auth.tokens_file"),
                (("extraEnv[0].name=NETSCOPE_METRICS_BIND", "extraEnv[0].value=192.0.2.7"), "config.metrics.bind node")):
            with self.subTest(words=words):
                self.refused(words, *sentences)

    def test_null_is_refused_in_words_or_left_out(self):
        """Each value and each section, where every part of the chart is made."""
        keys = {part for path, _ in paths_of(yaml.safe_load((chart.CHART / "values.yaml").read_text()))
                for part in itertools.accumulate(path.split("."), "{}.{}".format)}
        self.assertLessEqual(BY_NULL.keys(), keys)
        for key in sorted(keys):
            with self.subTest(key=key):
                words = chart.sets(ALL_PARTS, f"{key}=null")
                if key in BY_NULL:
                    self.assertIn(BY_NULL[key], chart.template(*words, code=1))
                else:
                    self.assertEqual([at for name, item in chart.render(*words).items() for at in nulls_in(item, name)], [])

    def test_what_is_meant_is_let_be(self):
        for words in (("config.grpc.bind=node", "config.grpc.insecure=true"), ("config.metrics.bind=127.0.0.1",),
                      ("config.output.alerts_jsonl=/dev/stderr", "config.output.rotate_mb=1", "config.output.max_files=1")):
            with self.subTest(words=words):
                chart.template(*chart.sets(*words))
        chart.template(*TLS, *CALLERS, "--set", "config.grpc.bind=node")


class Parts(unittest.TestCase):
    """What is generated, copied, or said."""

    def test_what_is_generated_is_up_to_date(self):
        hint = "run scripts/generate-docs"
        for path, *command in (
                ("helm/netscope/values.schema.json", "scripts/lib/chart_schema.py", sensor.BINARY),
                ("helm/netscope/README.md", "scripts/lib/chart_readme.py")):
            made = subprocess.run(["python3", *command], cwd=sensor.ROOT, capture_output=True, text=True, check=True).stdout
            self.assertEqual(made, (sensor.ROOT / path).read_text(), f"{path}: {hint}")
        made = subprocess.run(["scripts/lib/plain_manifest", chart.tool("helm3")], cwd=sensor.ROOT, capture_output=True, text=True,
                              check=True).stdout
        self.assertEqual(made, (sensor.ROOT / "deploy/kubernetes.yaml").read_text(), f"deploy/kubernetes.yaml: {hint}")

    def test_the_schema_has_every_setting(self):
        schema = json.loads((chart.CHART / "values.schema.json").read_text())

        def keys(node, path=""):
            for name, child in node["properties"].items():
                yield from keys(child, f"{path}{name}.") if "properties" in child else (f"{path}{name}",)

        documented = re.findall(r"^\| `([a-z_.]+)` \|", (sensor.ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
        self.assertEqual(sorted(keys(schema["properties"]["config"])), sorted(documented))
        self.assertEqual((schema["additionalProperties"], schema["properties"]["global"]["additionalProperties"]), (False, True))

    def test_the_schema_closes_every_value(self):
        """All that values.yaml names is in it."""
        schema = json.loads((chart.CHART / "values.schema.json").read_text())
        self.assertEqual(schema["properties"].keys(), yaml.safe_load((chart.CHART / "values.yaml").read_text()).keys())

    def test_versions_are_the_programs(self):
        version = re.search(r"VERSION (\d+\.\d+\.\d+)", (sensor.ROOT / "CMakeLists.txt").read_text()).group(1)
        about = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())
        self.assertEqual(about["appVersion"], version)

    def test_templates_ask_no_cluster_and_make_no_secret(self):
        text = "".join(path.read_text() for path in (chart.CHART / "templates").rglob("*") if path.is_file())
        self.assertEqual(re.findall(r"\b(lookup|genCA|genSelfSignedCert|genSignedCert|genPrivateKey|rand[A-Z]\w+)\b", text), [])

    def test_yaml_is_as_chart_testing_wants_it(self):
        try:
            from yamllint import config, linter  # noqa: PLC0415
        except ImportError:
            self.skipTest("needs Debian's yamllint")
        rules = config.YamlLintConfig(LINT)
        for path in (chart.CHART / "Chart.yaml", chart.CHART / "values.yaml", *chart.CI_VALUES):
            self.assertEqual([f"{path.name}: {problem}" for problem in linter.run(path.read_text(), rules)], [])

    def test_helm_unittest_is_content(self):
        done = subprocess.run([chart.tool("unittest"), "--strict", str(chart.CHART)], capture_output=True, text=True, check=False,
                              env=chart.ENVIRONMENT)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"Tests: +[1-9][0-9]* passed")

    def test_rules_are_all_there_but_those_left_out(self):
        text = (chart.CHART / "files/netscope.rules.yaml").read_text()
        for old, new in {'job=~".*netscope.*"': 'job=~"netscope"', 'set=~".*netscope.*"': 'set="netscope"',
                         "runbook_url: docs/": "runbook_url: https://docs.example/netscope/docs/"}.items():
            text = text.replace(old, new)
        rules = yaml.safe_load(text)
        names = [rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
        on = ("--set", "prometheusRule.enabled=true", "--set", "prometheusRule.runbookBaseUrl=https://docs.example/netscope/")
        made = chart.only(chart.render(*on), "PrometheusRule")["spec"]
        self.assertEqual(made["groups"], rules["groups"])
        made = chart.only(chart.render(*on, "--set", f"prometheusRule.disabled={{{names[0]}}}"), "PrometheusRule")["spec"]
        kept = [rule["alert"] for group in made["groups"] for rule in group["rules"] if "alert" in rule]
        self.assertEqual(kept, names[1:])
        schema = json.loads((chart.CHART / "values.schema.json").read_text())["properties"]["prometheusRule"]["properties"]
        self.assertEqual(set(schema["disabled"]["items"]["enum"]), set(names))

    def test_rules_without_an_address_have_no_dead_link(self):
        made = chart.only(chart.render("--set", "prometheusRule.enabled=true"), "PrometheusRule")["spec"]["groups"]
        said = [set(rule["annotations"]) for group in made for rule in group["rules"] if "alert" in rule]
        self.assertEqual(said, [{"summary", "description"}] * len(said))

    def test_rules_by_values_of_null(self):
        whole = chart.only(chart.render("--set", "prometheusRule.enabled=true"), "PrometheusRule")
        names = ("namespace", "labels", "annotations", "alertLabels", "disabled", "job", "runbookBaseUrl", "certificateDays")
        nulls = ",".join(f"prometheusRule.{name}=null" for name in names)
        self.assertEqual(chart.only(chart.render("--set", f"prometheusRule.enabled=true,{nulls}"), "PrometheusRule"), whole)
        self.assertIn("prometheusRule is null", chart.template("--set", "prometheusRule=null", code=1))

    def test_rules_of_certificates_that_live_for_days(self):
        made = chart.only(chart.render("--set", "prometheusRule.enabled=true,prometheusRule.certificateDays.warning=2,"
                                       "prometheusRule.certificateDays.critical=1"), "PrometheusRule")["spec"]["groups"]
        asked = [rule["expr"] for group in made for rule in group["rules"] if rule.get("alert") == "NetScopeCertificateExpiring"]
        left = "netscope_certificate_expiry_timestamp_seconds - time() < "
        self.assertEqual(asked, [left + "2 * 86400", left + "1 * 86400"])

    def test_rules_go_by_the_names_of_the_release(self):
        def down(*words):
            made = chart.only(chart.render("--set", "prometheusRule.enabled=true", *words), "PrometheusRule")["spec"]["groups"]
            found = {rule["alert"]: rule["expr"] for group in made for rule in group["rules"] if "alert" in rule}
            return found["NetScopeTargetDown"], found["NetScopePodsMissing"].split("\n")[0]

        desired = 'kube_daemonset_status_desired_number_scheduled{daemonset="%s"}'
        self.assertEqual(down("--set", "nameOverride=sensor,fullnameOverride=eyes"), ('up{job=~"sensor"} == 0', desired % "eyes"))
        self.assertEqual(down("--set", "prometheusRule.job=kubernetes-(pods|nodes)"),
                         ('up{job=~"kubernetes-(pods|nodes)"} == 0', desired % "netscope"))

    def test_the_dashboard_is_whole(self):
        found = chart.render("--set", "dashboard.enabled=true")
        made = found["ConfigMap", "netscope-dashboard"]
        self.assertEqual(json.loads(made["data"]["netscope.json"]), json.loads((chart.CHART / "files/netscope.json").read_text()))
        self.assertEqual(made["metadata"]["labels"]["grafana_dashboard"], "1")

    def test_one_certificate_has_the_names_that_clients_verify(self):
        found = chart.render("--set", "tls.mode=certManager,tls.certManager.issuerRef.name=ca,tls.listeners.metrics=true,monitor.kind=pod")
        host = f"netscope.{chart.NAMESPACE}.svc"
        self.assertEqual(chart.only(found, "Certificate")["spec"]["dnsNames"], [host, f"*.{host}"])
        endpoint = chart.only(found, "PodMonitor")["spec"]["podMetricsEndpoints"][0]
        self.assertEqual((endpoint["scheme"], endpoint["tlsConfig"]["serverName"]), ("https", host))
        self.assertEqual(endpoint["tlsConfig"]["ca"]["secret"], {"name": "netscope-tls", "key": "ca.crt"})


if __name__ == "__main__":
    sensor.main()
