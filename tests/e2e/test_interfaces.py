"""Interfaces that come and go, are missing, or may not be opened."""

import re
import capture_file
import namespaces
import sensor

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
          "--no-new-privs")


class InterfaceTest(namespaces.NamespaceTest, sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.net = self.make("sender", "sensor")
        self.net.join("sender", "out0", "sensor", "in0")
        self.inside = self.net.inside("sensor")

    def start(self, *arguments):
        running = sensor.Running(*arguments, "--summary-json", self.folder / "summary.json", prefix=self.inside)
        self.addCleanup(running.close)
        return running

    def capture(self, *arguments):
        running = self.start(*arguments)
        namespaces.await_capture(running)
        return running

    def send(self, interface="out0", count=100, port=53):
        """Raw frames on an interface of the sender, one every millisecond."""
        frame = capture_file.udp_frame("192.0.2.1", "192.0.2.2", 4000, port, b"x" * 20)
        program = ("import socket, time\n"
                   "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
                   f"s.bind(('{interface}', 0))\n"
                   f"for i in range({count}):\n"
                   f"    s.send(bytes.fromhex('{frame.hex()}'))\n"
                   "    time.sleep(0.001)\n")
        namespaces.command(*self.net.inside("sender"), "python3", "-c", program)

    def finish(self, running):
        namespaces.settle()
        return self.end_closed(running, self.folder / "summary.json")

    def test_link_down_and_up_does_not_end_the_run(self):
        running = self.capture("-i", "in0", "--quiet", "udp port 53")
        self.send(count=100)
        for end in ("sensor", "sender"):
            interface = "in0" if end == "sensor" else "out0"
            self.net.ip(end, "link", "set", interface, "down")
            sensor.until(lambda: self.is_down("in0"), 10, lambda: "the link stays up")
            self.net.ip(end, "link", "set", interface, "up")
            sensor.until(lambda: not self.is_down("in0"), 10, lambda: "the link stays down")
        self.send(count=200)
        self.assertIsNone(running.process.poll(), running.stderr())
        self.assertEqual(self.finish(running)["packets"], 300)

    def is_down(self, interface):
        return "state DOWN" in self.net.ip("sensor", "link", "show", interface).stdout or \
            "LOWERLAYERDOWN" in self.net.ip("sensor", "link", "show", interface).stdout

    def test_a_missing_interface_exits_7(self):
        result = self.check(sensor.run("-i", "nosuch0", prefix=self.inside), sensor.NO_INTERFACE, "nosuch0")
        self.assertRegex(result.stderr.decode(), r"in0|-D|list")  # what to do about it

    def test_a_missing_interface_can_be_waited_for(self):
        running = sensor.Running("-i", "late0", "--quiet", "udp port 53", "--summary-json",
                                 self.folder / "summary.json", "--on-missing", "wait", prefix=self.inside)
        self.addCleanup(running.close)
        self.net.join("sender", "late1", "sensor", "late0")
        namespaces.await_capture(running)
        self.send("late1", 50)
        self.assertEqual(self.finish(running)["packets"], 50)

    def test_without_privilege_exits_6(self):
        result = sensor.run("-i", "in0", prefix=(*self.inside, *NOBODY))
        self.check(result, sensor.NO_PERMISSION, r"in0.*(?s:.*)(root|sudo|CAP_NET_RAW|cap_net_raw)")

    def test_without_privilege_nothing_is_waited_for(self):
        """Nothing that comes could ever be captured: as for an interface that is there."""
        for words in (("-i", "veth*"), ("-i", "late0", "--on-missing", "wait")):
            result = sensor.run(*words, prefix=(*self.inside, *NOBODY), timeout=20)
            self.check(result, sensor.NO_PERMISSION, re.escape(words[1]) + r".*(?s:.*)(sudo|cap_net_raw)")

    def test_a_file_needs_no_privilege(self):
        with open(sensor.CAPTURES / "gre.pcap", "rb") as capture:
            content = capture.read()
        self.check(sensor.run("-r", "-", stdin=content, prefix=(*self.inside, *NOBODY)))

    def test_several_interfaces_and_globs_are_followed(self):
        self.net.join("sender", "out1", "sensor", "in1")
        running = self.capture("-i", "in*", "--quiet", "--observation", "all", "udp port 53")
        namespaces.await_capture(running, 2)
        self.net.join("sender", "out2", "sensor", "in2")
        namespaces.await_capture(running, 3)
        for interface, count in (("out0", 10), ("out1", 20), ("out2", 30)):
            self.send(interface, count)
        self.net.ip("sensor", "link", "del", "in2")
        self.send("out0", 10)
        self.assertEqual(self.finish(running)["packets"], 70)

    def test_list_interfaces_names_them(self):
        listed = self.check(sensor.run("-D", prefix=self.inside)).stdout.decode()
        for interface in ("in0", "any", "lo"):
            self.assertIn(interface, listed)

    def test_auto_without_default_route_exits_7(self):
        self.check(sensor.run(prefix=self.inside), sensor.NO_INTERFACE, "route")

    def test_auto_says_once_where_it_captures_and_why(self):
        self.net.ip("sensor", "addr", "add", "192.0.2.2/24", "dev", "in0")
        self.net.ip("sensor", "route", "add", "default", "via", "192.0.2.1")
        for level in ("warning", "info"):
            running = self.capture("--log-level", level)
            self.finish(running)
            self.assertEqual(running.stderr().count("capturing on in0: it holds the IPv4 default route via 192.0.2.1"), 1)


if __name__ == "__main__":
    sensor.main()
