"""A node with two pods on a bridge and an uplink, captured on `any`: every packet is seen two or three times and
counts once. The reference is a second sensor on one interface."""

import subprocess

import namespaces
import sensor

BYTES = 2_000_000
COOKED_EXTRA_BYTES = 6  # the cooked header of `any` is 20 bytes, an Ethernet header 14

SERVER = ("import socket\n"
          "s = socket.create_server(('0.0.0.0', 7000))\n"
          "print('ready', flush=True)\n"
          "while True:\n"
          "    c, _ = s.accept()\n"
          "    while c.recv(65536): pass\n"
          "    c.sendall(b'done' * 1000)\n"
          "    c.close()\n")
CLIENT = ("import socket, sys\n"
          "c = socket.create_connection((sys.argv[1], 7000))\n"
          "c.sendall(bytes(int(sys.argv[2])))\n"
          "c.shutdown(socket.SHUT_WR)\n"
          "while c.recv(65536): pass\n")


class BridgeTest(namespaces.NamespaceTest, sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.net = self.make("node", "pod1", "pod2", "world")
        self.net.ip("node", "link", "add", "bridge0", "type", "bridge")
        self.net.ip("node", "link", "set", "bridge0", "up")
        for index, name in enumerate(("pod1", "pod2", "world"), 1):
            self.net.join("node", f"to-{name}", name, "eth0")
            self.net.ip("node", "link", "set", f"to-{name}", "master", "bridge0")
            self.net.ip(name, "addr", "add", f"10.77.0.{index}/24", "dev", "eth0")
        for name in ("pod2", "world"):
            self.serve(name)

    def serve(self, name):
        server = subprocess.Popen([*self.net.inside(name), "python3", "-c", SERVER], stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(server.stdout.readline(), b"ready\n")

    def start(self, interface, sockets):
        outputs = self.folder / f"{interface}.json", self.folder / f"{interface}-summary.json"
        running = sensor.Running("-i", interface, "--quiet", "--export-json", outputs[0], "--summary-json", outputs[1],
                                 "tcp port 7000", prefix=self.net.inside("node"))
        self.addCleanup(running.close)
        namespaces.await_capture(running, sockets)
        return running, outputs

    def finish(self, running, outputs):
        namespaces.settle()
        self.assertEqual(running.end(), sensor.DONE, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
        return [sensor.load_json(path) for path in outputs]

    def test_any_counts_each_packet_once(self):
        everywhere = self.start("any", sockets=1)
        single = self.start("to-pod1", sockets=2)  # they are counted by namespace: both sensors'
        for address in ("10.77.0.2", "10.77.0.3", "10.77.0.2"):
            namespaces.command(*self.net.inside("pod1"), "python3", "-c", CLIENT, address, BYTES, timeout=60)
        flows, summary = self.finish(*everywhere)
        reference, single_summary = self.finish(*single)
        self.assertEqual(len(reference), 3)
        self.compare(flows, reference)
        self.judge_ledger(summary, single_summary)

    def compare(self, flows, reference):
        self.assertEqual([self.ends(flow) for flow in flows], [self.ends(flow) for flow in reference])
        for flow, expected in zip(flows, reference):
            for direction in ("a_to_b", "b_to_a"):
                packets = expected[f"packets_{direction}"]
                self.assertEqual(flow[f"packets_{direction}"], packets)
                self.assertEqual(flow[f"bytes_{direction}"],
                                 expected[f"bytes_{direction}"] + COOKED_EXTRA_BYTES * packets)
            self.assertEqual(flow["retransmissions"], expected["retransmissions"])  # TCP itself may repeat one
            self.assertEqual(flow["tcp_state"], "closed")
            self.assertGreaterEqual(len(flow["observed_at"]), 1)

    @staticmethod
    def ends(flow):
        return [(flow[end]["ip"], flow[end]["port"]) for end in ("endpoint_a", "endpoint_b")]

    def judge_ledger(self, summary, single_summary):
        ledger, analysed = summary["ledger"], single_summary["ledger"]["analysed"]
        print(f"FIGURE: any received {ledger['received']}, analysed {ledger['analysed']}, duplicate "
              f"{ledger['duplicate']}; one interface analysed {analysed}")
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.assertEqual(ledger["analysed"], analysed)
        self.assertGreaterEqual(ledger["duplicate"], analysed)


if __name__ == "__main__":
    sensor.main()
