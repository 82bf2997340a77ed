"""Network namespaces for tests: made, joined and removed. Every name starts with netscope-test-."""

import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

import sensor


def command(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **options)


def why_not():
    """Why namespaces cannot be made here, or None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    name = f"netscope-test-{os.getpid()}-probe"
    try:
        command("ip", "netns", "add", name)
        command("ip", "-n", name, "link", "add", "probe0", "type", "veth", "peer", "name", "probe1")
    except FileNotFoundError:
        return "needs ip (package iproute2)"
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.strip()}"
    finally:
        subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)
    return None


class Namespaces:
    """The namespaces of one test, by short names; remove() takes them and their links away."""

    def __init__(self, *names):
        self._full = {}
        for name in names:
            full = f"netscope-test-{os.getpid()}-{name}"
            command("ip", "netns", "add", full)
            self._full[name] = full
            self.quieten(name)
            self.ip(name, "link", "set", "lo", "up")

    def quieten(self, name):
        """No IPv6: routers' and neighbours' packets would be counted with the test's own."""
        path = "/proc/sys/net/ipv6/conf/{}/disable_ipv6"
        for which in ("all", "default"):
            command(*self.inside(name), "sh", "-c", f"echo 1 > {path.format(which)}")

    def remove(self):
        for full in self._full.values():
            subprocess.run(["ip", "netns", "del", full], stderr=subprocess.DEVNULL, check=False)
        self._full.clear()

    def ip(self, name, *words):
        return command("ip", "-n", self._full[name], *words)

    def inside(self, name):
        """The command prefix that runs something in a namespace (it execs: the pid stays)."""
        return ("ip", "netns", "exec", self._full[name])

    def join(self, name, interface, other, other_interface):
        """A veth pair between two namespaces, both ends up."""
        self.ip(name, "link", "add", interface, "type", "veth", "peer", "name", other_interface,
                "netns", self._full[other])
        self.ip(name, "link", "set", interface, "up")
        self.ip(other, "link", "set", other_interface, "up")


class NamespaceTest(unittest.TestCase):
    """A mixin: skips with the reason where namespaces cannot be made."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = why_not()
        if reason:
            raise unittest.SkipTest(reason)

    def make(self, *names):
        namespaces = Namespaces(*names)
        self.addCleanup(namespaces.remove)
        return namespaces


def capturing(process):
    """How many packet sockets are bound in the namespace of a process: a sensor captures when there is one."""
    try:
        rows = Path(f"/proc/{process.pid}/net/packet").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return 0
    return sum(row.split()[5] == "1" for row in rows)


def all_sleep(process):
    """Whether every thread of a process waits for something."""
    try:
        stats = [path.read_text(encoding="ascii") for path in Path(f"/proc/{process.pid}/task").glob("*/stat")]
    except OSError:
        return False
    return all(stat.rpartition(")")[2].split()[0] == "S" for stat in stats)


def await_capture(running, sockets=1):
    """Until a sensor (sensor.Running) captures on that many sockets at least; fails with its stderr.

    A socket is bound before its filter is set, and meanwhile libpcap throws packets away: only a sensor that
    sleeps, and goes on sleeping, has come to wait for packets.
    """
    asleep = 0

    def ready():
        nonlocal asleep
        if running.process.poll() is not None:
            return True
        asleep = asleep + 1 if capturing(running.process) >= sockets and all_sleep(running.process) else 0
        return asleep >= 3

    sensor.until(ready, 20, lambda: f"captures nothing: {running.stderr()}")
    if running.process.poll() is not None:
        raise AssertionError(f"ended with {running.process.returncode}: {running.stderr()}")


def settle():
    """What was sent is in the sensor's hands, not in the kernel's ring: many times its read timeout."""
    time.sleep(0.5)


def interface_packets(namespaces, name, interface, counter):
    """A counter of the interface's statistics: rx_packets, tx_packets, rx_dropped."""
    path = f"/sys/class/net/{interface}/statistics/{counter}"
    return int(command(*namespaces.inside(name), "cat", path).stdout)


def no_program(name):
    """Why a program is missing, or None."""
    found = subprocess.run(["sh", "-c", f"command -v {name}"], stdout=subprocess.DEVNULL, check=False)
    return None if found.returncode == 0 else f"needs {name}"


if __name__ == "__main__":
    print(why_not() or "network namespaces work here")
    sys.exit(0)
