#!/usr/bin/env python3
"""The chart on a real node: what docs/install.md and NOTES.txt promise, done as users do it. `scripts/test --cluster` runs it.

The tool k8s-node brings the cluster (tests/python/cluster.py); without it, root or Go it says so and skips.
"""

import base64
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import certificates
import chart
import cluster
import sensor
import shipping
import yaml

NET_RAW, USER = 1 << 13, 65532
SENT, ANSWERED, CONNECTIONS = 10000, 5000, 20
STAYS = chart.sets("image.registry=localhost", "image.pullPolicy=Never")
SERVER = f"""use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 64, LocalPort => 8080, ReuseAddr => 1) or die;
while (my $c = $s->accept) {{ my $n = 0; while ($n < {SENT}) {{ my $r = sysread($c, my $b, 65536) or last; $n += $r }} print $c "y" x {ANSWERED} }}"""
DEFINITIONS = {"operator": "example/prometheus-operator-crd", "cert-manager": "deploy/crds"}  # in their modules


def setUpModule():
    cluster.begin()
    unittest.addModuleCleanup(cluster.end)
    for name, level in ((cluster.NAMESPACE, "privileged"), ("strict", "restricted"), ("dry", "privileged"),
                        ("monitoring", "baseline"), ("workload", "baseline")):
        cluster.make_namespace(name, level)


def install(*values, wait=True):
    """The release with the chart's values but for these; waits until its pod is Ready."""
    cluster.helm("upgrade", "--install", "netscope", chart.CHART, *STAYS, *chart.sets(*values))
    if wait:
        # Not helm's --wait: with maxUnavailable 10% of one node it waits for none.
        cluster.kubectl("rollout", "status", "daemonset/netscope", "--timeout=120s")
        cluster.ready_pod()


def define_kinds(name):
    """Those that a tool brings, once the API server takes objects of them."""
    kinds = chart.definitions(name, DEFINITIONS[name])
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin="\n---\n".join(kinds.values()))
    established = "jsonpath={.items[*].status.conditions[?(@.type=='Established')].status}"
    sensor.until(lambda: cluster.kubectl("get", "crd", *kinds, "-o", established).split() == ["True"] * len(kinds), 60,
                 lambda: cluster.kubectl("get", "crd", "-o", "yaml"))


class Node(unittest.TestCase):
    """The release as shipped, but for `values`, made anew for each class."""

    values = ()

    @classmethod
    def setUpClass(cls):
        cluster.helm("uninstall", "netscope", "--wait", check=False)
        sensor.until(lambda: not cluster.pods(), 60, lambda: "the former pods stay")
        install(*cls.values)

    def counted(self, name):
        return cluster.total(name)

    def judge_nothing_lost(self):
        self.assertEqual((self.counted("netscope_packets_lost_total"), self.counted("netscope_kernel_drops_total")), (0, 0))


class AsShipped(Node):
    def test_it_runs_as_a_user_with_net_raw_alone(self):
        threads = [dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)
                   for path in Path(f"/proc/{cluster.process()}/task").glob("*/status")]
        self.assertEqual({thread["Uid"] for thread in threads}, {"\t".join([str(USER)] * 4)})
        held = {name: {int(thread[name], 16) for thread in threads} for name in ("CapPrm", "CapBnd", "CapEff", "CapInh", "CapAmb")}
        self.assertEqual(held, {"CapPrm": {0, NET_RAW}, "CapBnd": {NET_RAW}, "CapEff": {0}, "CapInh": {0}, "CapAmb": {0}})
        self.assertEqual({(thread["Seccomp"].strip(), thread["NoNewPrivs"].strip()) for thread in threads}, {("2", "1")})

    def test_netscopectl_answers_in_the_pod(self):
        self.assertEqual(cluster.asked("status")["node"], "node1")
        self.assertEqual([interface["name"] for interface in cluster.asked("interfaces")["interfaces"]], ["uplink"])
        self.assertIn("viewer", cluster.ask("status"))
        said = cluster.kubectl("exec", "ds/netscope", "--", "netscopectl", "start", "lo", check=False)
        self.assertIn("operator", said)

    def test_helm_test_passes(self):
        for name in chart.HELMS:
            self.assertIn("Succeeded", cluster.helm("test", "netscope", name=name))

    def test_a_scan_is_told_inside_and_outside(self):
        folder = Path(cluster.FOLDER) / "ctl"
        folder.mkdir(exist_ok=True)
        (folder / "kubectl").unlink(missing_ok=True)
        (folder / "kubectl").write_text(f'#!/bin/sh\nexec {" ".join(cluster.INSIDE)} {shutil.which("kubectl")} "$@"\n')
        (folder / "kubectl").chmod(0o755)
        outside = cluster.environment() | {"PATH": f"{folder}:{os.environ['PATH']}"}
        with cluster.Lines("kubectl", "-n", cluster.NAMESPACE, "exec", "ds/netscope", "--", "netscopectl", "alerts", "--follow") as inside, \
                cluster.Lines(shipping.CTL, "alerts", "--follow", "--kube", "-N", cluster.NAMESPACE, env=outside) as kube:
            time.sleep(2)
            shipping.command("ip", "netns", "exec", "k8s-peer", "nmap", "-sS", "-n", "-Pn", "-p", "1000-1300", "--max-retries", "0",
                             cluster.NODE, timeout=120)
            inside.await_line("scan", cluster.PEER)
            kube.await_line("scan", cluster.PEER)
        self.assertIn(cluster.PEER, "".join(line for line in cluster.log().splitlines() if "port_scan" in line))

    def test_prometheus_metrics_come_by_the_nodes_address(self):
        found = cluster.metrics()
        self.assertEqual(found['netscope_interface_up{interface="uplink"}'], 1)
        self.assertGreater(cluster.total("process_resident_memory_bytes", found), 0)


class PodsTraffic(Node):
    """What two ordinary pods of the node say to each other, which the node's own interface does not see."""

    def talk(self):
        """A number of connections between two pods."""
        self.run_pod("server", ["perl", "-e", SERVER], "Always")
        address = self.await_pod("server", "Running")["status"]["podIP"]
        script = (f"for i in $(seq {CONNECTIONS}); do exec 3<>/dev/tcp/{address}/8080 || exit 1; head -c {SENT} /dev/zero >&3; "
                  f"[ $(cat <&3 | wc -c) = {ANSWERED} ] || exit 1; exec 3>&-; done")
        self.run_pod("client", ["bash", "-c", f"sleep 1; {script}"], "Never")
        self.await_pod("client", "Succeeded")

    def run_pod(self, name, command, restart):
        cluster.kubectl("delete", "pod", name, "--force", "--grace-period=0", "--ignore-not-found", namespace="workload")
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "restartPolicy": restart, "terminationGracePeriodSeconds": 1, "containers": [
                {"name": "main", "image": cluster.IMAGE, "imagePullPolicy": "Never", "command": command}]}}
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod), namespace="workload")
        self.addCleanup(cluster.kubectl, "delete", "pod", name, "--force", "--grace-period=0", "--ignore-not-found", namespace="workload")

    def await_pod(self, name, phase):
        sensor.until(lambda: cluster.get("pod", name, namespace="workload")["status"]["phase"] == phase, cluster.READY_SECONDS,
                     lambda: cluster.kubectl("describe", "pod", name, namespace="workload"))
        return cluster.get("pod", name, namespace="workload")

    def judge_once(self, interfaces):
        install(f"config.capture.interfaces={{{interfaces}}}")
        cluster.kubectl("rollout", "restart", "daemonset/netscope")
        cluster.kubectl("rollout", "status", "daemonset/netscope", "--timeout=120s")
        cluster.ready_pod()
        sensor.until(lambda: cluster.asked("interfaces").get("interfaces"), 30, lambda: "no interface")
        with cluster.Lines("kubectl", "-n", cluster.NAMESPACE, "exec", "ds/netscope", "--", "netscopectl", "flows", "--follow", "--port",
                           "8080", "-o", "jsonl") as ended:
            time.sleep(2)  # until it follows
            self.talk()
            sensor.until(lambda: len(ended.lines) >= CONNECTIONS, 60, lambda: f"{len(ended.lines)} flows")
            time.sleep(2)  # for those that would be too many
        self.assertEqual(len(ended.lines), CONNECTIONS)
        for flow in map(json.loads, ended.lines):
            for carried, counted in zip((ANSWERED, SENT), sorted((flow["bytes_a_to_b"], flow["bytes_b_to_a"])), strict=True):
                self.assertTrue(carried < counted < 1.5 * carried, f"{counted} bytes for {carried}, seen twice: {flow}")
            self.assertEqual(flow["retransmissions"], 0)
        self.assertGreater(self.counted("netscope_packets_duplicate_total"), 0)

    def test_it_is_seen_once_on_any(self):
        self.judge_once("any")

    def test_it_is_seen_once_by_globs(self):
        self.judge_once("auto,cni*,veth*")


class Changes(Node):
    """What happens to a sensor that runs."""

    def setUp(self):
        install()
        self.pod = cluster.ready_pod()

    def restarts(self):
        return cluster.ready_pod()["status"]["containerStatuses"][0]["restartCount"]

    def send(self, seconds):
        """Numbered datagrams from the machine beside the node, in the background."""
        code = ("import socket,time,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(('',4040))\nn=0;end=time.time()+"
                f"{seconds}\nwhile time.time()<end:\n for _ in range(20): s.sendto(b'x'*100,('{cluster.NODE}',4041));n+=1\n time.sleep(0.01)\nprint(n)")
        return subprocess.Popen(["ip", "netns", "exec", "k8s-peer", sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)

    def test_a_changed_configmap_is_read_without_losing_a_packet(self):
        sender = self.send(25)
        time.sleep(1)
        install("config.flow.udp_timeout_secs=300", wait=False)
        cluster.bring_config()
        sensor.until(lambda: "300" in cluster.ask("config", "get", "flow.udp_timeout_secs"), 120, lambda: cluster.log())
        sent = int(sender.communicate(timeout=60)[0])
        sensor.until(lambda: self.datagrams() >= sent, 20, lambda: f"{self.datagrams()} of {sent}")
        self.assertEqual(self.datagrams(), sent)
        self.judge_nothing_lost()
        self.assertEqual((cluster.ready_pod()["metadata"]["uid"], self.restarts()), (self.pod["metadata"]["uid"], 0))

    def datagrams(self):
        return sum(flow["packets_total"] for flow in cluster.asked("flows", "-n", "0", "--port", "4041"))

    def test_a_wrong_configmap_changes_nothing(self):
        configmap = cluster.get("configmap", "netscope")
        configmap["data"]["netscope.yaml"] += "captur: {}\n"
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(configmap))
        cluster.bring_config()
        sensor.until(lambda: self.counted("netscope_config_last_reload_successful") == 0, 120, lambda: cluster.log())
        self.assertIn("captur", cluster.log())
        self.assertEqual(self.restarts(), 0)
        install("config.flow.udp_timeout_secs=60", wait=False)
        cluster.bring_config()
        sensor.until(lambda: self.counted("netscope_config_last_reload_successful") == 1, 120, lambda: cluster.log())

    def test_upgrade_and_rollback_under_traffic(self):
        sender = self.send(90)
        try:
            with cluster.Lines("kubectl", "-n", cluster.NAMESPACE, "get", "pods", "-w", "-o",
                               "jsonpath={.metadata.name} {.status.containerStatuses[0].state.terminated.exitCode}{'\\n'}") as states:
                install("podAnnotations.round=two")
                new = cluster.ready_pod(other_than=self.pod["metadata"]["uid"])
                states.await_line(self.pod["metadata"]["name"], " 0")
            cluster.helm("rollback", "netscope", "--wait")
            cluster.ready_pod(other_than=new["metadata"]["uid"])
            sensor.until(lambda: self.datagrams() > 0, 30, lambda: cluster.log())
            self.assertEqual(self.restarts(), 0)
        finally:
            sender.kill()
            sender.communicate()

    def test_eviction_brings_another(self):
        name = self.pod["metadata"]["name"]
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": cluster.NAMESPACE}}
        cluster.kubectl("create", "--raw", f"/api/v1/namespaces/{cluster.NAMESPACE}/pods/{name}/eviction", "-f", "-", stdin=json.dumps(eviction))
        cluster.ready_pod(other_than=self.pod["metadata"]["uid"])

    def test_a_killed_process_comes_back(self):
        os.kill(cluster.process(), signal.SIGKILL)
        sensor.until(lambda: cluster.pods()[0]["status"]["containerStatuses"][0]["restartCount"] == 1, 60, lambda: cluster.log())
        state = cluster.ready_pod()["status"]["containerStatuses"][0]["lastState"]["terminated"]
        self.assertEqual(state["exitCode"], 137)
        self.assertIn("viewer", cluster.ask("status"))

    def test_too_little_memory_is_refused_with_the_plan(self):
        self.addCleanup(install)
        install("resources.limits.memory=128Mi", wait=False)

        sensor.until(self.ends, 120, lambda: cluster.kubectl("describe", "pods"))
        self.assertEqual(self.ends()[0]["exitCode"], sensor.USAGE)
        self.assertRegex(self.ends()[0]["message"], "the memory plan needs .* but the cgroup allows 128 MB.*flow.max_flows")

    def test_little_memory_is_enough_for_few_flows(self):
        self.addCleanup(install)
        install("resources.limits.memory=128Mi", *LITTLE)
        self.assertEqual(self.restarts(), 0)

    def test_a_taken_port_keeps_the_pod_pending_and_says_so(self):
        """By a pod of the node."""
        self.addCleanup(install)
        self.addCleanup(cluster.kubectl, "delete", "pod", "squatter", "--force", "--grace-period=0", "--ignore-not-found")
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "squatter"}, "spec": {
            "hostNetwork": True, "containers": [{"name": "main", "image": cluster.IMAGE, "imagePullPolicy": "Never",
                                                 "command": ["sleep", "600"], "ports": [{"containerPort": 9877, "hostPort": 9877}]}]}}))
        sensor.until(lambda: cluster.get("pod", "squatter")["status"]["phase"] == "Running", 60, lambda: "the squatter does not run")
        install("config.metrics.port=9877", wait=False)
        sensor.until(lambda: "free ports" in cluster.kubectl("describe", "pods", "-l", "app.kubernetes.io/name=netscope"), 120,
                     lambda: cluster.kubectl("describe", "pods"))

    def test_an_image_without_its_capability_says_so_and_runs_as_root(self):
        self.addCleanup(install)
        install("image.tag=lost", wait=False)
        sensor.until(self.ends, 120, lambda: cluster.kubectl("describe", "pods"))
        self.assertEqual(self.ends()[0]["exitCode"], sensor.NO_PERMISSION)
        self.assertIn("the image lost that of the file", self.ends()[0]["message"])
        install("image.tag=lost", "runAsRoot=true")
        threads = [path.read_text() for path in Path(f"/proc/{cluster.process()}/task").glob("*/status")]
        self.assertTrue(all(f"CapBnd:\t{NET_RAW:016x}" in thread and "NoNewPrivs:\t1" in thread for thread in threads), threads)
        self.assertEqual(self.counted("netscope_interface_up"), 1)

    def ends(self):
        """How containers of pods that are newer than the test ended."""
        new = [pod for pod in cluster.pods() if pod["metadata"]["uid"] != self.pod["metadata"]["uid"]]
        states = [status for pod in new for status in pod["status"].get("containerStatuses", [])]
        return [kind["terminated"] for status in states for kind in (status.get("lastState", {}), status["state"]) if "terminated" in kind]


# A plan of 128 MB (docs/operations.md).
LITTLE = ("config.flow.max_flows=10000", "config.events.capacity=4096")


HOST = f"netscope.{cluster.NAMESPACE}.svc"


def make_certificate():
    """The Secret `own` with a certificate of the release's names, and `authority` with the CA that signed it, which is returned."""
    folder = Path(cluster.FOLDER) / "pki-of-test"
    folder.mkdir(exist_ok=True)
    authority = certificates.Authority(folder, "ca-of-test")
    certificate, key = authority.sign("sensor", f"DNS:{HOST}", f"DNS:*.{HOST}")
    cluster.kubectl("delete", "secret", "own", "authority", "--ignore-not-found")
    cluster.kubectl("create", "secret", "generic", "own", f"--from-file=tls.crt={certificate}", f"--from-file=tls.key={key}",
                    f"--from-file=ca.crt={authority.certificate}")
    cluster.kubectl("create", "secret", "tls", "authority", f"--cert={authority.certificate}", f"--key={authority.key}")
    return authority.certificate


class Secured(Node):
    """TLS and callers, from another machine."""

    values = ("tls.mode=existingSecret", "tls.existingSecret=own", "tls.listeners.metrics=true", "auth.existingSecret=callers",
              "auth.passwordKey=password", "config.grpc.bind=node", "config.web.enabled=true", "config.web.bind=node")

    @classmethod
    def setUpClass(cls):
        cls.ca, cls.token = make_certificate(), "a-token-of-this-test"
        digest = hashlib.sha256(cls.token.encode()).hexdigest()
        cluster.kubectl("delete", "secret", "callers", "--ignore-not-found")
        cluster.kubectl("create", "secret", "generic", "callers", f"--from-literal=tokens=reader viewer {digest}",
                        "--from-literal=password=a password of this test")
        super().setUpClass()

    def peer(self, *words):
        return subprocess.run(["ip", "netns", "exec", "k8s-peer", *map(str, words)], capture_output=True, text=True, check=False)

    def test_grpc_takes_the_token_and_the_name(self):
        token = Path(cluster.FOLDER) / "token"
        token.write_text(self.token)
        done = self.peer(shipping.CTL, "status", "-s", f"{cluster.NODE}:9871", "--tls-ca", self.ca, "--tls-server-name", HOST,
                         "--token-file", token)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(self.peer(shipping.CTL, "status", "-s", f"{cluster.NODE}:9871", "--tls-ca", self.ca, "--tls-server-name",
                                      HOST).returncode, 0)

    def test_the_page_takes_the_password(self):
        base = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", self.ca, "--resolve", f"{HOST}:9872:{cluster.NODE}")
        url = f"https://{HOST}:9872/"
        self.assertEqual(self.peer(*base, "-u", "netscope:a password of this test", url).stdout, "200")
        self.assertIn(self.peer(*base, url + "metrics").stdout, ("401", "403"))

    def test_metrics_and_helm_test_by_https(self):
        done = self.peer("curl", "-sf", "--cacert", self.ca, "--resolve", f"{HOST}:9873:{cluster.NODE}",
                         f"https://{HOST}:9873/metrics")
        self.assertIn("netscope_build_info", done.stdout)
        self.assertIn("Succeeded", cluster.helm("test", "netscope"))


class CertManager(Node):
    """With a certificate that cert-manager makes and renews."""

    values = ("tls.mode=certManager", "tls.certManager.issuerRef.name=own", "tls.listeners.metrics=true")

    @classmethod
    def setUpClass(cls):
        program = chart.tool("cert-manager")
        define_kinds("cert-manager")
        cls.ca = make_certificate()
        cls.manager = cls.enterClassContext(cluster.Lines(
            program, "--kubeconfig", cluster.FOLDER / "admin.conf", "--leader-elect=false", "--controllers=*,-clusterissuers"))
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps({
            "apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"name": "own"}, "spec": {"ca": {"secretName": "authority"}}}))
        cluster.kubectl("delete", "secret", "netscope-tls", "--ignore-not-found")
        super().setUpClass()

    def shown(self):
        """The serial number of the certificate that the metrics' port shows, once it is verified by the release's name."""
        done = subprocess.run([*cluster.INSIDE, "openssl", "s_client", "-connect", f"{cluster.NODE}:9873", "-CAfile", self.ca,
                               "-verify_hostname", HOST, "-verify_return_error"], input="", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return shipping.command("openssl", "x509", "-noout", "-serial", input=done.stdout)

    def test_it_is_made_and_renewed_without_a_restart(self):
        pod, first = cluster.ready_pod(), self.shown()
        certificate = cluster.get("certificate", "netscope")
        # As `cmctl renew` asks for it.
        certificate["status"]["conditions"].append({
            "type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "by a test",
            "lastTransitionTime": certificate["metadata"]["creationTimestamp"]})
        cluster.kubectl("replace", "--subresource=status", "-f", "-", stdin=json.dumps(certificate))
        sensor.until(lambda: cluster.get("certificate", "netscope")["status"].get("revision") == 2, 60,
                     lambda: "".join(self.manager.lines[-20:]))
        cluster.bring_config()
        sensor.until(lambda: self.shown() != first, 150, cluster.log)
        self.assertEqual(cluster.ready_pod()["metadata"]["uid"], pod["metadata"]["uid"])


class Operator(Node):
    """Prometheus' operator on the same API server, and a Prometheus with the configuration that it makes."""

    values = ("monitor.kind=pod", "monitor.interval=1s", "prometheusRule.enabled=true")

    @classmethod
    def setUpClass(cls):
        program, cls.prometheus = chart.tool("operator"), chart.tool("prometheus")
        define_kinds("operator")
        make_certificate()
        super().setUpClass()
        pki, api = cluster.FOLDER / "pki", f"https://{cluster.NODE}:6443"
        mine = {"caFile": str(pki / "ca.crt"), "certFile": str(pki / "admin.crt"), "keyFile": str(pki / "admin.key")}
        cls.operator = cls.enterClassContext(cluster.Lines(
            program, "--apiserver", api, "--ca-file", mine["caFile"], "--cert-file", mine["certFile"], "--key-file", mine["keyFile"],
            "--web.listen-address", f"{cluster.NODE}:9443"))
        everything = {f"{kind}{where}Selector": {} for kind in ("podMonitor", "serviceMonitor", "rule") for where in ("", "Namespace")}
        cluster.kubectl("apply", "-f", "-", namespace="monitoring", stdin=json.dumps({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "own"},
            "spec": {"version": "v3.5.0", "replicas": 0, "apiserverConfig": {"host": api, "tlsConfig": mine}, **everything}}))

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="netscope-test-prometheus-")))
        for name in ("rules", "certs"):
            (self.folder / name).mkdir()

    def made(self, kind, name, *keys):
        """What an object of the operator's holds, once it has these keys, or any."""
        def found():
            said = cluster.kubectl("get", kind, name, "-o", "jsonpath={.data}", namespace="monitoring", check=False)
            return json.loads(said) if said.startswith("{") else {}

        sensor.until(lambda: found() and found().keys() >= set(keys), 60, lambda: "".join(self.operator.lines[-20:]))
        return found()

    def configure(self, *wanted):
        """The operator's configuration, once these words and no other job are in it, as the program beside Prometheus unpacks it in a pod."""
        def text():
            return gzip.decompress(base64.b64decode(self.made("secret", "prometheus-own")["prometheus.yaml.gz"])).decode()

        def is_made(made):
            return made.count("job_name:") == 1 and all(word in made for word in wanted)

        sensor.until(lambda: is_made(text()), 60, lambda: text() + "".join(self.operator.lines[-20:]))
        for name, rules in self.made("configmap", "prometheus-own-rulefiles-0").items():
            (self.folder / "rules" / name).write_text(rules)
            shipping.command("promtool", "check", "rules", self.folder / "rules" / name)
        named = re.findall(r"/etc/prometheus/certs/(\S+)", text())
        for name in named:
            secret = self.made("secret", "prometheus-own-tls-assets-0", *named)[name]
            (self.folder / "certs" / name).write_bytes(base64.b64decode(secret))
        moved = text().replace("/etc/prometheus/rules/prometheus-own-rulefiles-0", f"{self.folder}/rules")
        (self.folder / "prometheus.yaml").write_text(
            moved.replace("/etc/prometheus/certs", f"{self.folder}/certs").replace("$(SHARD)", "0"))

    def scrape(self, *wanted):
        """The one target, once Prometheus has read it, and the groups of rules."""
        self.configure(*wanted)
        with cluster.Lines(self.prometheus, f"--config.file={self.folder}/prometheus.yaml", f"--storage.tsdb.path={self.folder}/tsdb",
                           f"--web.listen-address={cluster.NODE}:9090") as prometheus:
            def targets():
                return self.ask_prometheus("targets").get("activeTargets", [])

            sensor.until(lambda: [target["health"] for target in targets()] == ["up"], 90,
                         lambda: f"{targets()}\n{''.join(prometheus.lines[-20:])}")
            return targets()[0], self.ask_prometheus("rules")["groups"]

    @staticmethod
    def ask_prometheus(what):
        done = subprocess.run([*cluster.INSIDE, "curl", "-s", f"http://{cluster.NODE}:9090/api/v1/{what}"], capture_output=True, text=True,
                              check=False)
        try:
            return json.loads(done.stdout)["data"]
        except (ValueError, KeyError):
            return {}

    def test_a_podmonitor_is_scraped_and_the_rules_are_loaded(self):
        target, loaded = self.scrape("podMonitor/netscope/netscope/0")
        self.assertEqual({name: target["labels"][name] for name in ("node", "namespace", "job")},
                         {"node": "node1", "namespace": cluster.NAMESPACE, "job": "netscope"})
        source = yaml.safe_load((chart.CHART / "files/netscope.rules.yaml").read_text())["groups"]
        self.assertEqual({group["name"]: len(group["rules"]) for group in loaded}, {group["name"]: len(group["rules"]) for group in source})
        self.assertEqual({rule["health"] for group in loaded for rule in group["rules"]} - {"ok", "unknown"}, set())

    def test_a_servicemonitor_is_scraped_as_well(self):
        self.addCleanup(install, *self.values)
        install(*self.values, "monitor.kind=service")
        target, _ = self.scrape("serviceMonitor/netscope/netscope/0", "sample_limit: 2000")
        self.assertEqual((target["labels"]["node"], target["labels"]["service"]), ("node1", "netscope"))

    def test_tls_is_verified_by_the_names_of_the_release(self):
        self.addCleanup(install, *self.values)
        install(*self.values, "tls.mode=existingSecret", "tls.existingSecret=own", "tls.listeners.metrics=true")
        target, _ = self.scrape("podMonitor/netscope/netscope/0", f"server_name: {HOST}")
        self.assertEqual(target["scrapeUrl"], f"https://{cluster.NODE}:9873/metrics")


class Refused(unittest.TestCase):
    def test_a_restricted_namespace_refuses_as_the_notes_foretell(self):
        said = cluster.helm("upgrade", "--install", "netscope", chart.CHART, *STAYS, namespace="strict")
        self.addCleanup(cluster.helm, "uninstall", "netscope", namespace="strict", check=False)
        self.assertIn("'violates PodSecurity'", said)

        def events():
            return cluster.kubectl("describe", "daemonset", "netscope", namespace="strict")

        sensor.until(lambda: "violates PodSecurity" in events(), 60, events)
        self.assertIn("hostNetwork=true", events())
        self.assertIn("NET_RAW", events())
        self.assertEqual(cluster.pods("strict"), [])

    def test_every_values_file_is_accepted_by_the_api_server(self):
        for name in DEFINITIONS:
            define_kinds(name)
        for values in chart.CI_VALUES:
            for name in chart.HELMS:
                with self.subTest(values=values.name, helm=name):
                    rendered = cluster.helm("template", "netscope", chart.CHART, "--values", values, name=name, namespace="dry")
                    cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=rendered, namespace=None)


if __name__ == "__main__":
    sensor.main()
