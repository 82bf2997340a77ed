"""What is one connection is one flow, and what a capture says of itself is told: captures made here, and the shared cases."""

import json
import struct
import unittest

import capture_file
import sensor

CASES = sensor.ROOT.parent / "shared" / "cases"
START = 1_700_000_000 * 1_000_000_000
SLL2 = 276
POD, UPLINK = 3, 2  # kernel's numbers of interfaces


def cooked(interface, frame):
    """An Ethernet frame as "any" has it."""
    return struct.pack(">HHIHBB8s", 0x0800, 0, interface, 1, 0, 6, frame[6:12] + b"\0\0") + frame[14:]


def vxlan(frame, back):
    nodes = ("192.0.2.1", "192.0.2.2")
    source, target = reversed(nodes) if back else nodes
    return capture_file.udp_frame(source, target, 40000, 4789, struct.pack(">BxxxI", 8, 77 << 8) + frame)


class OneConnectionTest(sensor.SensorTest):
    def flows(self, capture, *arguments):
        result = self.check(sensor.run("-r", capture, "--export-json", "-", "--report", "none", *arguments))
        return json.loads(result.stdout)

    def write(self, frames, link_type=capture_file.ETHERNET):
        path = self.folder / "made.pcap"
        capture_file.write_pcap(path, ((START + i * 1_000_000, frame) for i, frame in enumerate(frames)), link_type)
        return path

    def test_plain_on_one_interface_and_inside_a_tunnel_on_another_counts_once(self):
        there = capture_file.udp_frame("10.0.0.1", "10.0.0.2", 5000, 53, b"x" * 20)
        back = capture_file.udp_frame("10.0.0.2", "10.0.0.1", 53, 5000, b"y" * 30)
        frames = []
        for _ in range(5):
            frames += [cooked(POD, there), cooked(UPLINK, vxlan(there, False)),
                       cooked(UPLINK, vxlan(back, True)), cooked(POD, back)]
        capture = self.write(frames, SLL2)
        for workers in (1, 3):
            flows = self.flows(capture, "--observation", "first", "--workers", workers)
            self.assertEqual(len(flows), 1, flows)
            flow = flows[0]
            self.assertEqual((flow["packets_a_to_b"], flow["packets_b_to_a"]), (5, 5))
            self.assertEqual((flow["tunnel"]["kind"], flow["tunnel"]["id"]), ("vxlan", 77))
            self.assertEqual(len(flow["observed_at"]), 2)
        self.assertEqual(len(self.flows(capture, "--observation", "all")), 2)

    def test_fragments_in_any_order_are_of_one_flow_and_tell_their_name(self):
        question = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\7example\3com\0\0\1\0\1"
        parts = list(capture_file.fragments(capture_file.udp_frame("10.0.0.1", "10.0.0.2", 5000, 53, question), 16, 1))
        for order in (parts, parts[::-1], parts[1:] + parts[:1]):
            flows = self.flows(self.write(order))
            self.assertEqual(len(flows), 1, flows)
            self.assertEqual((flows[0]["packets_total"], flows[0]["dns_query"]), (len(parts), "example.com"))

    def test_many_datagrams_in_parts_are_put_together_at_any_number_of_workers(self):
        answer = struct.pack(">HHHHHH", 7, 0x8180, 1, 0, 0, 0) + b"\7example\3com\0\0\1\0\1" + b"\0" * 60000
        parts = [part for number in range(120)
                 for part in capture_file.fragments(capture_file.udp_frame("10.0.0.1", f"10.0.1.{number}", 53, 5000, answer), 8000, number)]
        capture = self.write(parts)
        for workers in (0, 1, 2, 8):
            flows = self.flows(capture, "--workers", workers)
            self.assertEqual([flow["dns_query"] for flow in flows], ["example.com"] * 120)
            self.assertEqual(sum(flow["packets_total"] for flow in flows), len(parts))

    def test_a_connection_outlives_the_syn_that_takes_its_ports(self):
        def client(sequence, flags, data=b""):
            return capture_file.tcp_frame("10.0.0.1", "10.0.0.2", (1000, 80), sequence, flags, data)

        def server(sequence, flags, data=b""):
            return capture_file.tcp_frame("10.0.0.2", "10.0.0.1", (80, 1000), sequence, flags, data)

        old = [(0, client((100, 0), 2)), (1, server((500, 101), 0x12)), (2, client((101, 501), 0x10)),
               (1002, client((9000, 0), 2))]
        old += [(2000 + i * 1000, server((501 + i * 10, 101), 0x18, b"y" * 10)) for i in range(4)]
        frames = [*old, (5001, server((7000, 9001), 0x12)), (5002, client((9001, 7001), 0x10))]
        path = self.folder / "made.pcap"
        capture_file.write_pcap(path, [(START + ms * 1_000_000, frame) for ms, frame in frames])
        for interim in ("0", "1"):
            result = self.check(sensor.run("-r", path, "--report", "none", "--expired-flows-jsonl", "-",
                                           "--active-timeout-s", interim))
            records = [json.loads(line) for line in result.stdout.splitlines()]
            former, latter = [record for record in records if record["final"]]
            self.assertEqual((former["reason"], former["packets_total"], former["duration_secs"]), ("reuse", 7, 5.0))
            self.assertEqual((latter["packets_total"], latter["duration_secs"], latter["conn_state"]), (3, 4.0, "S1"))
            interims = [record["duration_secs"] for record in records
                        if not record["final"] and record["first_seen"] == former["first_seen"]]
            self.assertEqual(interims, [2.0, 3.0, 4.0, 5.0] if interim == "1" else [])

    def test_answers_of_a_tick_are_bounded_and_the_rest_is_told(self):
        answer = struct.pack(">HHHHHHH", 17, 7, 0x8180, 1, 0, 0, 0) + b"\0\0\1\0\1"
        segment, frames = answer * 1500, []
        for sequence in range(1, 4 * len(segment), len(segment)):
            frames.append(capture_file.tcp_frame("10.0.0.2", "10.0.0.1", (53, 5000), (sequence, 1), 0x18, segment))
        for workers in (1, 3):
            summary = self.summarise("-r", self.write(frames), "--workers", workers)
            self.assertEqual((summary["dns"]["messages"], summary["given_up"]["answers"]), (6000, 6000 - 1024 - 4))
            self.assertTrue(any("DNS answers came" in line for line in summary["warnings"]), summary["warnings"])

    def test_parts_of_many_datagrams_are_all_counted(self):
        frame = capture_file.udp_frame("10.0.0.1", "10.0.0.2", 5000, 53, b"x" * 40)
        last = [list(capture_file.fragments(frame, 16, number))[-1] for number in range(20000)]
        flows = self.flows(self.write(last))
        self.assertEqual(sum(flow["packets_total"] for flow in flows), len(last))

    def test_datagrams_that_were_never_whole_are_told(self):
        frame = capture_file.udp_frame("10.0.0.1", "10.0.0.2", 5000, 53, b"x" * 40)
        frames = list(capture_file.fragments(frame, 16, 0))
        for number in range(1, 201):
            first, _, last = capture_file.fragments(frame, 16, number)
            frames += first, last
        capture = self.write(frames)
        for workers in (1, 3):
            summary = self.summarise("-r", capture, "--workers", workers)
            self.assertEqual((summary["fragments"], summary["given_up"]["datagrams"]), (403, 200))
            (told,) = (line for line in summary["warnings"] if "came in fragments" in line)
            self.assertRegex(told, "^200 IP datagrams came in fragments and were never whole")
        report = self.check(sensor.run("-r", capture, "--report", "text")).stdout.decode()
        self.assertIn("! 200 IP datagrams came in fragments and were never whole", " ".join(report.split()))


@unittest.skipUnless(CASES.is_dir(), "the shared cases are not here")
class CasesTest(sensor.SensorTest):
    def summary(self, name):
        path = self.folder / "summary.json"
        self.check(sensor.run("-r", CASES / name, "--summary-json", path, "--report", "none"))
        return sensor.load_json(path)

    def flows(self, name, *arguments):
        result = self.check(sensor.run("-r", CASES / name, "--export-json", "-", "--report", "none", *arguments))
        return json.loads(result.stdout)

    def test_stamps_before_1970_are_told(self):
        (flow,) = self.flows("before-1970.pcapng")
        self.assertEqual(flow["first_seen"], -0.5)
        self.assertEqual(flow["first_seen_time"], "1969-12-31T23:59:59.500000000Z")
        self.assertEqual(flow["duration_secs"], 1.0)

    def test_what_stays_on_the_link_is_internal(self):
        flows = self.flows("directions-on-the-link.pcap", "--networks-local", "192.0.2.0/24")
        self.assertEqual([flow["direction"] for flow in flows], ["internal"] * 9)

    def test_loss_that_the_file_records_is_told(self):
        summary = self.summary("interface-drops.pcapng")
        self.assertEqual(sum(interface["nic_dropped"] for interface in summary["interfaces"]), 950)
        self.assertTrue(any("950 packets were lost" in warning for warning in summary["warnings"]), summary["warnings"])


if __name__ == "__main__":
    sensor.main()
