"""Real tools against a sensor that runs: nmap scans and hping3 floods between namespaces, told within seconds."""

import json
import subprocess
import time

import namespaces
import sensor

SCANNER, VICTIM = "10.77.1.66", "10.77.1.7"
SCANNER6, VICTIM6 = "fd77:1::66", "fd77:1::7"
LONGEST_S = 40  # of one tool
SOON_S = 15  # from the end of a tool to its alert: a wait of 2 s, a tick, and a machine that is shared
FEW_PORTS, MANY_PORTS = "1-40", "1-400"
SOME = ("hping3", "-q", "-i", "u100", "-c", 10_000)  # packets, some 3,000 a second


class LiveDetectionTest(namespaces.NamespaceTest, sensor.SensorTest):
    """A sensor between a scanner and a victim: it captures on the victim's side of a veth pair."""

    def setUp(self):
        super().setUp()
        for program in ("nmap", "hping3"):
            reason = namespaces.no_program(program)
            if reason:
                self.skipTest(reason)
        self.net = self.make("det-scanner", "det-victim")
        self.net.join("det-scanner", "out0", "det-victim", "in0")
        for name, interface, addresses in (("det-scanner", "out0", (SCANNER, SCANNER6)),
                                           ("det-victim", "in0", (VICTIM, VICTIM6))):
            self.address(name, interface, addresses)
        self.listen()
        self.alerts_path = self.folder / "alerts.jsonl"

    def address(self, name, interface, addresses):
        for family in ("all", interface):
            namespaces.command(*self.net.inside(name), "sh", "-c",
                               f"echo 0 > /proc/sys/net/ipv6/conf/{family}/disable_ipv6")
        self.net.ip(name, "addr", "add", f"{addresses[0]}/24", "dev", interface)
        self.net.ip(name, "-6", "addr", "add", f"{addresses[1]}/64", "dev", interface, "nodad")

    def listen(self):
        """A few open ports, for both versions."""
        script = ("import socket,signal\n"
                  "held=[socket.create_server(('::',p),family=socket.AF_INET6,dualstack_ipv6=True,backlog=64)"
                  " for p in (22,80,443)]\nprint('ready',flush=True)\nsignal.pause()")
        server = subprocess.Popen([*self.net.inside("det-victim"), "python3", "-c", script], stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(server.stdout.readline(), b"ready\n")

    def sense(self):
        running = sensor.Running("-i", "in0", "--quiet", "--anomalies", "--alerts-jsonl", self.alerts_path,
                                 prefix=self.net.inside("det-victim"))
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        return running

    def tool(self, *words, codes=(0,)):
        done = subprocess.run([*self.net.inside("det-scanner"), *map(str, words)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=LONGEST_S, check=False)
        self.assertIn(done.returncode, codes, done.stdout)

    def nmap(self, *words):
        self.tool("nmap", "-n", "-Pn", "--max-retries", "1", "--max-rtt-timeout", "200ms", *words)

    def told(self):
        """(kind, source, target) of the alerts that began."""
        if not self.alerts_path.exists():
            return set()
        lines = self.alerts_path.read_text(encoding="utf-8").splitlines(keepends=True)
        alerts = [json.loads(line) for line in lines if line.endswith("\n")]
        return {(alert["kind"], only(alert["sources"], alert["sources_total"]),
                 only(alert["targets"], alert["targets_total"]))
                for alert in alerts if alert["lifecycle"] == "started"}

    def await_alert(self, running, kind, source, target):
        begin_s = time.monotonic()
        sensor.until(lambda: (kind, source, target) in self.told(), SOON_S,
                     lambda: f"no {kind} from {source} to {target}: {self.told()} {running.stderr()}")
        print(f"FIGURE: {kind} of {source or 'many'} told {time.monotonic() - begin_s:.2f} s after the tool's end")

    def finish(self, running, expected):
        """Nothing else was told, and the sensor ends well."""
        self.assertEqual(running.end(), sensor.DONE, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
        self.assertEqual(self.told(), expected)

    def judge(self, alert, act):
        """One tool, one alert."""
        running = self.sense()
        act()
        self.await_alert(running, *alert)
        self.finish(running, {alert})


def only(parties, total):
    """The one address; None where there are many."""
    return parties[0]["ip"] if total <= 1 and len(parties) == 1 else None


class ScansTest(LiveDetectionTest):
    def scan(self, *words, ports=MANY_PORTS, source=SCANNER, target=VICTIM):
        self.judge(("port_scan", source, target), lambda: self.nmap(*words, "-p", ports, target))

    def test_connect(self):
        self.scan("-sT")

    def test_syn(self):
        self.scan("-sS")

    def test_fin(self):
        self.scan("-sF")

    def test_null(self):
        self.scan("-sN")

    def test_xmas(self):
        self.scan("-sX")

    def test_ack(self):
        self.scan("-sA")

    def test_udp(self):
        """Closed ports answer six times a second at most: the rest is silence."""
        self.scan("-sU", "--min-rate", "20", ports=FEW_PORTS)

    def test_slow(self):
        """-T2: a probe each 0.4 s."""
        self.scan("-sS", "-T2", ports=FEW_PORTS)

    def test_ipv6(self):
        self.scan("-6", "-sS", source=SCANNER6, target=VICTIM6)

    def test_ipv6_connect(self):
        self.scan("-6", "-sT", source=SCANNER6, target=VICTIM6)

    def route_to_nobody(self):
        """10.77.2.0/24 is behind the victim, which throws what is for it away."""
        self.net.ip("det-victim", "route", "add", "blackhole", "10.77.2.0/24")
        self.net.ip("det-scanner", "route", "add", "10.77.2.0/24", "via", VICTIM)
        namespaces.command(*self.net.inside("det-victim"), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")

    def test_a_host_that_drops_all(self):
        self.route_to_nobody()
        self.scan("-sS", "--max-rtt-timeout", "100ms", ports=FEW_PORTS, target="10.77.2.9")

    def test_sweep(self):
        """One port of 60 hosts that are not there."""
        self.route_to_nobody()
        self.judge(("host_sweep", SCANNER, None),
                   lambda: self.nmap("-sS", "-p", "445", "--max-rtt-timeout", "100ms", "10.77.2.1-60"))


class FloodsTest(LiveDetectionTest):
    def flood(self, alert, *words):
        """hping3 ends with 1 when nothing came back, timeout with 124."""
        self.judge(alert, lambda: self.tool(*words, VICTIM, codes=(0, 1, 124)))

    def test_syns_from_random_sources(self):
        self.net.ip("det-victim", "route", "add", "default", "via", SCANNER)
        self.flood(("syn_flood", None, VICTIM), *SOME, "-S", "-p", 80, "--rand-source")

    def test_syns_from_one_source(self):
        self.flood(("syn_flood", SCANNER, VICTIM), *SOME, "-S", "-p", 80)

    def test_syns_to_a_closed_port(self):
        self.flood(("syn_flood", None, VICTIM), *SOME, "-S", "-p", 81, "--rand-source")

    def test_datagrams(self):
        self.flood(("udp_flood", SCANNER, VICTIM), "timeout", "-s", "INT", 7, "hping3", "-q", "--flood", "--udp",
                   "-p", 9, "-k", "-s", 5000)

    def test_pings(self):
        """Of which the victim answers none: answered ones are no flood."""
        namespaces.command(*self.net.inside("det-victim"), "sh", "-c",
                           "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all")
        self.flood(("icmp_flood", None, VICTIM), *SOME, "--icmp", "--rand-source")


class QuietTest(LiveDetectionTest):
    def test_ordinary_use_is_silent(self):
        """Connections, a few closed doors and pings."""
        running = self.sense()
        self.nmap("-sT", "-p", "22,80,443,1-20", VICTIM)
        for _ in range(5):
            self.tool("nmap", "-n", "-sT", "-p", "22,80,443", VICTIM)
        namespaces.settle()
        self.finish(running, set())


if __name__ == "__main__":
    sensor.main()
