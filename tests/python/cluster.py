"""A Kubernetes of one node on this machine, and the chart in it. Started by the tool k8s-node (real API server, kubelet, containerd)
in network namespaces of its own: `k8s-node` is the node, `k8s-peer` a machine beside it.

NETSCOPE_K8S_NODE names the tool, NETSCOPE_K8S_FOLDER where it keeps its binaries (half an hour's build, once). With
NETSCOPE_K8S_KEEP the cluster stays up, and the next run takes it with the image that is in it.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import chart
import image
import sensor
import shipping

TOOL = Path(os.environ.get("NETSCOPE_K8S_NODE", sensor.ROOT.parent / "shared" / "tools" / "k8s-node"))
FOLDER = Path(os.environ.get("NETSCOPE_K8S_FOLDER", chart.FOLDER / "k8s"))
PROGRAMS = ("kubectl", "etcd", "containerd", "runc", "iptables", "nsenter", *image.TOOLS)
NODE, PEER = "10.77.0.1", "10.77.0.2"
NAMESPACE, IMAGE, LOST = "netscope", "localhost/netscope:0.1.0", "localhost/netscope:lost"
INSIDE = ("nsenter", "--net=/run/netns/k8s-node")
READY_SECONDS = 120


def is_up():
    return subprocess.run([*INSIDE, "kubectl", "get", "--raw", "/readyz"], capture_output=True, check=False,
                          env=environment()).returncode == 0


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("HELM_")} | {"KUBECONFIG": str(FOLDER / "admin.conf")}


def begin():
    """A cluster with the image in it, or a skip that says what is missing."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if os.geteuid() != 0 or missing:
        raise unittest.SkipTest(f"needs {', '.join(missing)}" if missing else "needs root, for a cluster of its own")
    if not TOOL.exists():
        raise unittest.SkipTest(f"needs the tool k8s-node, named by NETSCOPE_K8S_NODE ({TOOL} is not there)")
    for name in chart.HELMS:
        chart.tool(name)
    if os.environ.get("NETSCOPE_K8S_KEEP") and is_up():
        return
    image.build(IMAGE)
    if not is_up():
        shipping.command("bash", TOOL, "up", FOLDER, timeout=3600)
    load(IMAGE)
    lose_capability()
    load(LOST)


def load(tag):
    with tempfile.TemporaryDirectory(prefix="netscope-test-image-") as folder:
        shipping.command("buildah", "push", "--quiet", tag, f"oci-archive:{folder}/image.tar:{tag}")
        shipping.command("bash", TOOL, "load", FOLDER, f"{folder}/image.tar")


def lose_capability():
    """The image as a builder leaves it that keeps no extended attributes."""
    container = shipping.command("buildah", "from", "--pull-never", IMAGE).strip()
    shipping.command("setcap", "-r", shipping.command("buildah", "mount", container).strip() + "/usr/bin/netscope")
    shipping.command("buildah", "commit", "--quiet", container, LOST)
    shipping.command("buildah", "rm", container)


def end():
    if not os.environ.get("NETSCOPE_K8S_KEEP"):
        shipping.command("bash", TOOL, "down", FOLDER, timeout=300)


def kubectl(*words, stdin=None, check=True, namespace=NAMESPACE):
    within = ("-n", namespace) if namespace else ()
    done = subprocess.run([*INSIDE, "kubectl", *within, *map(str, words)], input=stdin, capture_output=True, text=True,
                          check=False, env=environment(), timeout=300)
    if check and done.returncode != 0:
        raise AssertionError(f"kubectl {words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout if check else done.stdout + done.stderr


def get(*words, **options):
    return json.loads(kubectl("get", *words, "-o", "json", **options))


def helm(*words, name="helm3", check=True, namespace=NAMESPACE):
    done = subprocess.run([*INSIDE, chart.tool(name), "-n", namespace, *map(str, words)], capture_output=True, text=True, check=False,
                          env=environment(), timeout=600)
    if check and done.returncode != 0:
        raise AssertionError(f"{name} {words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def make_namespace(name, level):
    kubectl("create", "namespace", name, check=False)
    kubectl("label", "namespace", name, f"pod-security.kubernetes.io/enforce={level}", "--overwrite")


def pods(namespace=NAMESPACE):
    return get("pods", "-l", "app.kubernetes.io/name=netscope", namespace=namespace)["items"]


def ready_pod(other_than=None):
    """The one sensor, once it is Ready; `other_than` is the uid of one that is to be replaced."""
    def found():
        there = pods()
        return there[0] if len(there) == 1 and is_ready(there[0]) and there[0]["metadata"]["uid"] != other_than else None

    sensor.until(found, READY_SECONDS, lambda: kubectl("describe", "pods") + log())
    return found()


def is_ready(pod):
    states = {state["type"]: state["status"] for state in pod["status"].get("conditions", [])}
    return states.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def log(*words):
    return kubectl("logs", "ds/netscope", *words, check=False)


def ask(*words):
    """netscopectl in the sensor's pod."""
    return kubectl("exec", "ds/netscope", "--", "netscopectl", *words)


def asked(*words):
    """The same as data."""
    return json.loads(ask(*words, "-o", "json"))


def metrics():
    """name with labels -> value, from the node."""
    text = subprocess.run([*INSIDE, "curl", "-sf", f"http://{NODE}:9873/metrics"], capture_output=True, text=True, check=True).stdout
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in rows}


def total(name, found=None):
    """The sum of a metric's series."""
    return sum(value for series, value in (found or metrics()).items() if series.split("{")[0] == name)


def process():
    """The sensor's process id on this machine."""
    uid = pods()[0]["metadata"]["uid"]
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if uid in (folder / "cgroup").read_text() and (folder / "comm").read_text().strip() == "netscope":
                return int(folder.name)
    raise AssertionError("no process of the pod")


def bring_config():
    """Has the kubelet look at the pod now instead of within its minute."""
    kubectl("annotate", "pods", "-l", "app.kubernetes.io/name=netscope", f"test/now={time.monotonic_ns()}", "--overwrite")


class Lines:
    """What a command says, line by line, while it runs."""

    def __init__(self, *words, env=None):
        self.process = subprocess.Popen([*INSIDE, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env=env or environment())
        self.lines = []
        self._reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self._reader.start()

    def await_line(self, *words, seconds=60):
        sensor.until(lambda: any(all(word in line for word in words) for line in list(self.lines)), seconds,
                     lambda: f"no line with {words}:\n{''.join(self.lines)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()
