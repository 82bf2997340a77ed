#!/usr/bin/env python3
"""The systemd unit: what systemd says of it, and whether what the sensor does lies within its sandbox."""

import os
import re
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

import namespaces
import sensor
import shipping

UNIT = sensor.ROOT / "deploy" / "netscope.service"
MOST_EXPOSURE = 2.0
NOBODY = "65534"


def values_of(key):
    return re.findall(rf"(?m)^{key}=(.*)$", UNIT.read_text(encoding="ascii"))


def calls_of(group):
    """The system calls of a group of systemd's, groups within it included."""
    calls = set()
    for line in shipping.command("systemd-analyze", "syscall-filter", group).splitlines()[1:]:
        word = line.strip()
        calls |= calls_of(word) if word.startswith("@") else {word} - {""} if not word.startswith("#") else set()
    return calls


def allowed_calls():
    """The lines of SystemCallFilter in turn, as systemd takes them: a list that is allowed, less, more."""
    allowed = set()
    for value in values_of("SystemCallFilter"):
        named = set().union(*(calls_of(word) if word.startswith("@") else {word} for word in value.lstrip("~").split()))
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


@shipping.needs("systemd-analyze")
class Said(sensor.SensorTest):
    def test_it_is_valid(self):
        """At the paths of this machine, where nothing is installed."""
        unit = self.folder / "netscope.service"
        program = str(sensor.BINARY)
        unit.write_text(UNIT.read_text().replace("ExecStart=netscope ", f"ExecStart={program} ")
                        .replace("Documentation=", "#"))
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_little_is_exposed(self):
        said = shipping.command("systemd-analyze", "security", "--offline=true", UNIT)
        exposure = float(re.search(r"Overall exposure level.*: ([0-9.]+)", said)[1])
        print(f"FIGURE: systemd-analyze security: {exposure}")
        self.assertLessEqual(exposure, MOST_EXPOSURE, said)


@unittest.skipIf(namespaces.why_not(), namespaces.why_not())
class Sandboxed(sensor.SensorTest):
    """As the unit runs it: its settings, another user, the one capability by the ambient set, no new privileges."""

    def setUp(self):
        super().setUp()
        self.spaces = namespaces.Namespaces("unit")
        self.addCleanup(self.spaces.remove)
        self.folder.chmod(0o755)
        self.run_folder = self.folder / "run"
        self.run_folder.mkdir()
        os.chown(self.run_folder, int(NOBODY), int(NOBODY))
        settings = (sensor.ROOT / "deploy" / "service.yaml").read_text()
        self.socket = self.run_folder / "netscope.sock"
        self.settings = self.folder / "netscope.yaml"
        self.settings.write_text(settings.replace("/run/netscope/netscope.sock", str(self.socket))
                                 .replace("[auto]", "[lo]"))
        self.binary = self.folder / "netscope"
        shutil.copy(sensor.BINARY, self.binary)

    def start(self, *prefix):
        command = [*self.spaces.inside("unit"), *prefix, "setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups",
                   "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw",
                   "--no-new-privs", self.binary, "--config", self.settings]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   env=sensor.environment())
        self.addCleanup(self.put_away, process)
        sensor.until(self.socket.exists, 30, lambda: "it does not serve")
        return process

    @staticmethod
    def put_away(process):
        process.kill()
        process.communicate()

    def ask(self, *words):
        return shipping.command(shipping.CTL, *words, "--server", f"unix://{self.socket}", env=sensor.environment())

    def sensor_of(self, process):
        """The pid of the sensor: strace is its parent."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        return int(children[0]) if children else process.pid

    def end(self, process):
        os.kill(self.sensor_of(process), signal.SIGTERM)
        complaint = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 0, complaint)
        return complaint

    def test_it_captures_serves_reloads_and_ends(self):
        process = self.start()
        sensor.until(lambda: "lo" in self.ask("interfaces"), 30, lambda: "it does not capture")
        self.settings.write_text(self.settings.read_text().replace("200000", "150000"))
        process.send_signal(signal.SIGHUP)
        sensor.until(lambda: "150000" in self.ask("config", "get", "flow.max_flows"), 30, lambda: "it was not reloaded")
        self.assertEqual(self.end(process), "")

    @shipping.needs("strace", "systemd-analyze")
    @unittest.skipIf("sanitizers" in str(shipping.BUILD) or "tsan" in str(shipping.BUILD), "sanitizers make calls of their own")
    def test_no_system_call_is_refused(self):
        trace = self.folder / "calls"
        process = self.start("strace", "-f", "-qq", "-e", "signal=none", "-o", trace)
        self.ask("status")
        self.end(process)
        lines = trace.read_text().splitlines()
        begin = max(number for number, line in enumerate(lines) if f'execve("{self.binary}"' in line)
        made = {match[1] for match in (re.match(r"\d+ +([a-z0-9_]+)\(", line) for line in lines[begin:]) if match}
        self.assertIn("capset", made)
        self.assertEqual(made - allowed_calls(), set())


if __name__ == "__main__":
    sensor.main()
