"""Names in the small captures of ../shared/cases, with the answers that their README gives and why."""

import sys
import unittest

import sensor

CASES = sensor.SHARED_CAPTURES.parent / "cases"


def run(name):
    """(the fields of names of each flow, the report's DNS part)."""
    flows = sensor.run("-r", CASES / name, "--flow-timeout-s", 0, "--export-json", "-", "--report", "none")
    report = sensor.run("-r", CASES / name, "--flow-timeout-s", 0, "--summary-json", "-", "--report", "none")
    for result in (flows, report):
        assert result.returncode == sensor.DONE and not sensor.finding(result.stderr), result.stderr
    return sensor.json.loads(flows.stdout), sensor.json.loads(report.stdout)["dns"]


@unittest.skipUnless(CASES.is_dir(), f"no cases at {CASES}")
class CasesTest(unittest.TestCase):
    def test_tcp_is_a_stream(self):
        flows, dns = run("dns-over-tcp-length-apart.pcap")
        self.assertEqual(sorted(flow["dns_query"] for flow in flows), [f"tcp{i}.example.com" for i in range(3)])
        self.assertEqual((dns["messages"], dns["answers"]), (6, 3))

    def test_an_answer_belongs_to_its_question(self):
        flows, dns = run("dns-same-id-again.pcap")
        self.assertEqual([flow["dns_query"] for flow in flows], ["found.example.com"])
        self.assertEqual((dns["answers"], dns["slow"], dns["median_ms"]), (1, 0, 2))

    def test_multicast_is_not_paired(self):
        _, dns = run("mdns-is-not-paired.pcap")
        self.assertEqual((dns["slow"], dns["median_ms"], dns["slowest"]), (0, None, []))

    def test_names_of_mdns_are_utf8(self):
        flows, _ = run("mdns-utf8-name.pcap")
        self.assertEqual(flows[0]["dns_query"], "Büro Drucker._ipp._tcp.local")


if __name__ == "__main__":
    if not CASES.is_dir():
        print(f"SKIPPED: no cases at {CASES}")
        sys.exit(sensor.SKIPPED)
    unittest.main(verbosity=2)
