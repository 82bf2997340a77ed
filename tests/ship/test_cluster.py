#!/usr/bin/env python3
"""The chart on a real node: what docs/install.md and NOTES.txt promise, done as users do it. `scripts/test --cluster` runs it.

The tool k8s-node brings the cluster (tests/python/cluster.py); without it, root or Go it says so and skips.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

import certificates
import chart
import cluster
import sensor
import shipping

NET_RAW, USER = 1 << 13, 65532
SENT, ANSWERED, CONNECTIONS = 10000, 5000, 20
STAYS = chart.sets("image.registry=localhost", "image.pullPolicy=Never")
SERVER = f"""use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 64, LocalPort => 8080, ReuseAddr => 1) or die;
while (my $c = $s->accept) {{ my $n = 0; while ($n < {SENT}) {{ my $r = sysread($c, my $b, 65536) or last; $n += $r }} print $c "y" x {ANSWERED} }}"""
DEFINITIONS = "example/prometheus-operator-crd"  # in the operator's module: the kinds that it brings


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


def define_kinds():
    """Those of the Prometheus operator."""
    module, version, _ = chart.TOOLS["operator"]
    go = shutil.which("go") or "/usr/local/go/bin/go"
    folder = chart.module_folder(go, f"{module.partition('/cmd/')[0]}@{version}")
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", folder / DEFINITIONS)


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


class Secured(Node):
    """TLS and callers, from another machine."""

    @classmethod
    def setUpClass(cls):
        folder = Path(cluster.FOLDER) / "pki-of-test"
        folder.mkdir(exist_ok=True)
        authority = certificates.Authority(folder, "ca-of-test")
        cls.ca = authority.certificate
        host = f"netscope.{cluster.NAMESPACE}.svc"
        certificate, key = authority.sign("sensor", f"DNS:{host}", f"DNS:*.{host}")
        cls.host, cls.token = host, "a-token-of-this-test"
        digest = subprocess.run(["sha256sum"], input=cls.token, capture_output=True, text=True, check=True).stdout.split()[0]
        cluster.kubectl("delete", "secret", "own", "callers", "--ignore-not-found")
        cluster.kubectl("create", "secret", "generic", "own", f"--from-file=tls.crt={certificate}", f"--from-file=tls.key={key}",
                        f"--from-file=ca.crt={authority.certificate}")
        cluster.kubectl("create", "secret", "generic", "callers", f"--from-literal=tokens=reader viewer {digest}",
                        "--from-literal=password=a password of this test")
        cls.values = ("tls.mode=existingSecret", "tls.existingSecret=own", "tls.listeners.metrics=true", "auth.existingSecret=callers",
                      "auth.passwordKey=password", "config.grpc.bind=node", "config.web.enabled=true", "config.web.bind=node")
        super().setUpClass()

    def peer(self, *words):
        return subprocess.run(["ip", "netns", "exec", "k8s-peer", *map(str, words)], capture_output=True, text=True, check=False)

    def test_grpc_takes_the_token_and_the_name(self):
        token = Path(cluster.FOLDER) / "token"
        token.write_text(self.token)
        done = self.peer(shipping.CTL, "status", "-s", f"{cluster.NODE}:9871", "--tls-ca", self.ca, "--tls-server-name", self.host,
                         "--token-file", token)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(self.peer(shipping.CTL, "status", "-s", f"{cluster.NODE}:9871", "--tls-ca", self.ca, "--tls-server-name",
                                      self.host).returncode, 0)

    def test_the_page_takes_the_password(self):
        base = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", self.ca, "--resolve", f"{self.host}:9872:{cluster.NODE}")
        url = f"https://{self.host}:9872/"
        self.assertEqual(self.peer(*base, "-u", "netscope:a password of this test", url).stdout, "200")
        self.assertIn(self.peer(*base, url + "metrics").stdout, ("401", "403"))

    def test_metrics_and_helm_test_by_https(self):
        done = self.peer("curl", "-sf", "--cacert", self.ca, "--resolve", f"{self.host}:9873:{cluster.NODE}",
                         f"https://{self.host}:9873/metrics")
        self.assertIn("netscope_build_info", done.stdout)
        self.assertIn("Succeeded", cluster.helm("test", "netscope"))


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
        define_kinds()
        self.define_certificate()
        for values in chart.CI_VALUES:
            for name in chart.HELMS:
                with self.subTest(values=values.name, helm=name):
                    rendered = cluster.helm("template", "netscope", chart.CHART, "--values", values, name=name, namespace="dry")
                    cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=rendered, namespace=None)

    def define_certificate(self):
        """cert-manager's kind with the fields that the chart sets."""
        texts = {"type": "array", "items": {"type": "string"}}
        fields = {name: {"type": "string"} for name in ("secretName", "duration", "renewBefore")} | {
            "dnsNames": texts, "ipAddresses": texts, "usages": texts,
            "issuerRef": {"type": "object", "properties": {name: {"type": "string"} for name in ("name", "kind", "group")}},
            "privateKey": {"type": "object", "properties": {"algorithm": {"type": "string"}, "size": {"type": "integer"},
                                                            "rotationPolicy": {"type": "string"}}}}
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "certificates.cert-manager.io"},
            "spec": {"group": "cert-manager.io", "scope": "Namespaced", "names": {"kind": "Certificate", "plural": "certificates"},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                         "type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}}}]}}))
        # Not `kubectl wait`: it fails where there is no condition yet.
        established = ("get", "crd", "certificates.cert-manager.io", "-o", "jsonpath={.status.conditions[?(@.type=='Established')].status}")
        sensor.until(lambda: cluster.kubectl(*established) == "True", 60, lambda: cluster.kubectl("describe", *established[1:3]))


if __name__ == "__main__":
    sensor.main()
