"""What is said of connections whose capture is not what it should be: halves, doubled frames, and the shared cases."""

import json
import re
import struct
import sys
import tempfile
import unittest
from pathlib import Path

import capture_file
import sensor

CASES = sensor.ROOT.parent / "shared" / "cases"
# tests/oracle/made.py does the same with all shared captures.
WHOLE = ("browsing.pcap", "mail-retransmissions.pcap", "tls13-ech.pcap")


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, frames[0].link_type))
        for frame in frames:
            seconds, nanoseconds = divmod(frame.time_ns, 10**9)
            file.write(struct.pack("<IIII", seconds, nanoseconds, len(frame.content), frame.length) + frame.content)


def flows_of(path, *arguments):
    with tempfile.NamedTemporaryFile(prefix="netscope-test-", suffix=".json") as export:
        result = sensor.run("-r", path, "--export-json", export.name, "--report", "none", *arguments)
        assert result.returncode == sensor.DONE, result.stderr
        return sensor.load_json(export.name)


def headlines(path):
    """The sentences that begin with a star, but for shares in brackets: of ACKs without an IP id nobody knows copies."""
    result = sensor.run("-r", path, "--report", "text")
    assert result.returncode == sensor.DONE, result.stderr
    return re.findall(r"^\* [^(]*", result.stdout.decode(), re.MULTILINE)


def source_of(frame):
    """The address bytes of an Ethernet frame's IPv4 source; None = another kind."""
    return frame.content[26:30] if frame.content[12:14] == b"\x08\x00" else None


class MadeCapturesTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="netscope-test-")
        self.addCleanup(self.folder.cleanup)

    def test_frames_captured_twice_change_no_headline(self):
        for name in WHOLE:
            frames = capture_file.read_frames(sensor.CAPTURES / name)
            path = Path(self.folder.name) / name
            write_pcap(path, [frame for frame in frames for _ in range(2)])
            before = sum(flow["retransmissions"] for flow in flows_of(sensor.CAPTURES / name))
            flows = flows_of(path)
            with self.subTest(name):
                self.assertGreater(sum(flow["duplicate_frames"] for flow in flows), 0)
                self.assertGreaterEqual(sum(flow["retransmissions"] for flow in flows), before)
                self.assertEqual(headlines(path), headlines(sensor.CAPTURES / name))

    def test_a_half_of_a_working_connection_has_not_failed(self):
        for name in WHOLE:
            frames = capture_file.read_frames(sensor.CAPTURES / name)
            working = {flow["community_id"] for flow in flows_of(sensor.CAPTURES / name)
                       if flow["tcp_state"] in ("established", "fin_wait", "closed")}
            for source in {source_of(frame) for frame in frames} - {None}:
                path = Path(self.folder.name) / "half.pcap"
                write_pcap(path, [frame for frame in frames if source_of(frame) == source])
                for flow in flows_of(path):
                    if flow["community_id"] in working and flow["packets_total"] > 2:
                        with self.subTest(name, flow=flow["community_id"]):
                            self.assertIn(flow["tcp_state"], ("established", "fin_wait", "closed", "reset"))


@unittest.skipUnless(CASES.is_dir(), "SKIPPED: no shared cases beside this tree")
class SharedCasesTest(unittest.TestCase):
    def tcp(self, name):
        return [flow for flow in flows_of(CASES / name) if flow["protocol"] == "tcp"]

    def test_a_second_answer_starts_no_stream(self):
        (flow,) = self.tcp("answering-twice.pcap")
        self.assertEqual((flow["tcp_state"], flow["bytes_missed"]), ("closed", 0))
        self.assertLessEqual(flow["retransmissions"] + flow["out_of_order"], 2)

    def test_a_port_is_used_again(self):
        flows = self.tcp("port-used-again-half-closed.pcap")
        self.assertEqual([flow["packets_total"] for flow in flows], [7, 5, 9])
        self.assertEqual(sum(flow["retransmissions"] + flow["bytes_missed"] for flow in flows), 0)

    def test_a_syn_is_read_last(self):
        (flow,) = self.tcp("syn-read-last.pcap")
        self.assertEqual((flow["packets_total"], flow["tcp_state"]), (9, "closed"))
        self.assertNotIn("failed", json.dumps(headlines(CASES / "syn-read-last.pcap")))

    def test_a_window_probe_is_accepted(self):
        (flow,) = self.tcp("window-probe-accepted.pcap")
        self.assertEqual((flow["bytes_missed"], flow["retransmissions"], flow["zero_windows"]), (0, 0, 2))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
