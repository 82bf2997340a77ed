"""Interfaces that come and go by the hundred beside one under load: it feels nothing, and all are accounted for.

NETSCOPE_TEST_INTERFACES says how many (default 100).
"""

import os
import re
import subprocess
import threading
from pathlib import Path

import capture_file
import namespaces
import replay
import sensor

COUNT = int(os.environ.get("NETSCOPE_TEST_INTERFACES", "100"))
AT_ONCE = 20

# Raw frames on each interface that is named, as fast as they go.
SENDER = """
import socket, sys
frame = bytes.fromhex(sys.argv[1])
for name in sys.argv[3:]:
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((name, 0))
    for i in range(int(sys.argv[2])):
        s.send(frame)
"""
ALWAYS = """
import contextlib, socket, sys, time
frame = bytes.fromhex(sys.argv[1])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[2], 0))
while True:
    with contextlib.suppress(OSError):
        for i in range(20):
            s.send(frame)
    time.sleep(0.001)
"""
FRAME = capture_file.udp_frame("198.51.100.1", "198.51.100.2", 4000, 53, b"x" * 20)


class ComingTest(replay.ReplayTest):
    def batch(self, name, lines):
        """Many changes of links by one process."""
        text = "".join(f"{line}\n" for line in lines)
        namespaces.command("ip", "-n", self.net.inside(name)[3], "-batch", "-", input=text)

    def add_pods(self, pods):
        peer = self.net.inside("sender")[3]
        self.batch("sensor", [f"link add pod{pod} type veth peer name peer{pod} netns {peer}" for pod in pods])
        self.batch("sensor", [f"link set pod{pod} up" for pod in pods])
        self.batch("sender", [f"link set peer{pod} up" for pod in pods])

    def remove_pods(self, pods):
        self.batch("sensor", [f"link del pod{pod}" for pod in pods])

    def send(self, pods, count):
        namespaces.command(*self.net.inside("sender"), "python3", "-c", SENDER, FRAME.hex(), str(count),
                           *[f"peer{pod}" for pod in pods])

    def capturing(self, running, count):
        """Until so many interfaces behind the glob are captured; sockets that are bound count."""
        sensor.until(lambda: namespaces.capturing(running.process) == count + 1, 30,
                     lambda: f"{namespaces.capturing(running.process) - 1} of {count} captured: {running.stderr()}")

    def start(self, *arguments):
        running = sensor.Running("-i", "in0", "-i", "pod*", "--packets", "never", "--observation", "all", "--summary-json",
                                 self.folder / "summary.json", *arguments, prefix=self.net.inside("sensor"))
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        return running

    def finish(self, running):
        namespaces.settle()
        return self.end_closed(running, self.folder / "summary.json")

    def interface(self, summary, name):
        found = [row for row in summary["interfaces"] if row["name"] == name]
        self.assertEqual(len(found), 1, summary["interfaces"])
        return found[0]

    def come_and_go(self, running, told):
        for first in range(0, COUNT, AT_ONCE):
            pods = range(first, min(first + AT_ONCE, COUNT))
            self.add_pods(pods)
            self.capturing(running, len(pods))
            self.send(pods, 3)
            self.remove_pods(pods)
            self.capturing(running, 0)
            told["gone"] += len(pods)

    def test_the_others_feel_nothing(self):
        running = self.start("udp and port 53")
        told = {"gone": 0}
        churn = threading.Thread(target=self.come_and_go, args=(running, told))
        churn.start()
        replays = 0
        while churn.is_alive() or replays == 0:
            self.replay()
            replays += 1
        churn.join()
        summary = self.finish(running)
        sent = replays * replay.PACKETS
        print(f"FIGURE: {COUNT} interfaces came and went beside {sent} packets, "
              f"lost {summary['ledger']['lost']}")
        self.assertEqual(told["gone"], COUNT)
        self.assertEqual(summary["ledger"]["lost"], [])
        self.assertEqual(self.interface(summary, "in0")["packets"], sent)
        self.assertGreater(self.interface(summary, "pod*")["packets"], 0)
        self.assertEqual(len(summary["interfaces"]), 2, "those that are gone are told by their word")

    def test_what_a_late_interface_drops_is_told(self):
        """The ring of the last of many is filled while nobody reads: the sensor is stopped by a signal."""
        running = self.start("udp and port 53")
        told = {"gone": 0}
        self.come_and_go(running, told)
        self.add_pods([COUNT])
        self.capturing(running, 1)
        namespaces.settle()
        running.process.send_signal(19)  # SIGSTOP
        try:
            self.send([COUNT], 60_000)
        finally:
            running.process.send_signal(18)  # SIGCONT
        summary = self.finish(running)
        lost = [row for row in summary["ledger"]["lost"] if row["reason"] == "ring_full"]
        self.assertEqual(len(lost), 1, summary["ledger"])
        self.assertEqual(lost[0]["interface"], f"pod{COUNT}")
        self.assertGreater(lost[0]["packets"], 1000)
        row = self.interface(summary, f"pod{COUNT}")
        self.assertEqual(row["packets"], 60_000)

    def test_a_renamed_interface_is_left_though_it_is_busy(self):
        """Its socket is bound to the number, which stays, and its ring would be filled for ever."""
        running = self.start("udp and port 53")
        self.add_pods([0])
        self.capturing(running, 1)
        words = [*self.net.inside("sender"), "python3", "-c", ALWAYS, FRAME.hex(), "peer0"]
        sender = subprocess.Popen(list(map(str, words)))
        try:
            sensor.until(lambda: namespaces.interface_packets(self.net, "sensor", "pod0", "rx_packets") > 1000, 20,
                         running.stderr)
            for name, other in (("pod0", "other0"), ("other0", "pod0")):
                self.batch("sensor", [f"link set {name} down", f"link set {name} name {other}", f"link set {other} up"])
                self.capturing(running, 0 if name == "pod0" else 1)
        finally:
            sender.kill()
            sender.wait()
        self.assertIn("the interface pod0 was removed", running.stderr())
        summary = self.finish(running)
        self.assertEqual(summary["ledger"]["lost"], [])
        self.assertGreater(self.interface(summary, "pod*")["packets"], 0)

    def test_capabilities_are_given_up(self):
        running = self.start()
        status = self.capabilities(running)
        raw = 1 << 13
        self.assertEqual(sorted(status.values())[-1], (raw, 0), "the keeper may open interfaces, not now")
        self.assertEqual(sorted(status.values())[:-1], [(0, 0)] * (len(status) - 1), status)
        self.add_pods([1])
        self.capturing(running, 1)
        self.assertEqual(sorted(self.capabilities(running).values())[-1], (raw, 0))
        self.finish(running)

    def test_a_fixed_capture_gives_up_all(self):
        running = self.start("--capture-fixed")
        self.assertEqual(set(self.capabilities(running).values()), {(0, 0)})
        self.add_pods([1])
        sensor.until(lambda: "capture.fixed" in running.stderr(), 20, running.stderr)
        self.capturing(running, 0)
        self.finish(running)

    def test_a_file_run_needs_none(self):
        with sensor.Running("-r", "-", stdin=subprocess.PIPE) as running:
            running.process.stdin.write(self.source.read_bytes()[:100_000])
            running.process.stdin.flush()
            sensor.until(lambda: set(self.capabilities(running).values()) == {(0, 0)}, 20,
                         lambda: f"{self.capabilities(running)}")

    def capabilities(self, running):
        """Permitted and effective, by thread."""
        if b"__tsan_init" in Path(sensor.BINARY).read_bytes():
            self.skipTest("the thread sanitizer has a thread of its own")
        found = {}
        for task in os.listdir(f"/proc/{running.process.pid}/task"):
            with open(f"/proc/{running.process.pid}/task/{task}/status", encoding="ascii") as file:
                text = file.read()
            found[task] = tuple(int(re.search(rf"^{kind}:\s*(\w+)$", text, re.MULTILINE)[1], 16)
                                for kind in ("CapPrm", "CapEff"))
        return found


if __name__ == "__main__":
    sensor.main()
