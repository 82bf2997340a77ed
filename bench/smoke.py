#!/usr/bin/env python3
"""The benchmarks' own test: mix makes the traffic that it promises, micro runs to its end and prints sane figures."""

import ipaddress
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
CAPTURES = Path(__file__).resolve().parent.parent / "tests/captures"
USAGE = "Usage: smoke.py MIX MICRO\nTests the two programs of bench/; paths of the built binaries."
ROWS = ("decode_packet", "flow_key_hash", "table hit", "table insert", "growth, longest batch", "record ring",
        "whole shard", "export, a flow")


def output_of(*words):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=300, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def frames_of(path):
    """(microseconds, bytes) of a little-endian classic pcap."""
    content = Path(path).read_bytes()
    magic, _, _, _, _, _, link_type = struct.unpack_from("<IHHiIII", content)
    assert (magic, link_type) == (0xA1B2C3D4, 1), (hex(magic), link_type)
    frames, offset = [], 24
    while offset < len(content):
        seconds, micros, captured, _ = struct.unpack_from("<IIII", content, offset)
        offset += 16
        frames.append((seconds * 1_000_000 + micros, content[offset:offset + captured]))
        offset += captured
    return frames


def ipv4_header(frame):
    """The header of a plain IPv4 frame, or None."""
    if frame[12:14] != b"\x08\x00":
        return None
    return frame[14:14 + (frame[14] & 15) * 4]


def word_sum(content):
    total = sum(struct.unpack(f">{len(content) // 2}H", content))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def address_pairs(frames):
    headers = [header for header in map(ipv4_header, frames) if header]
    return {tuple(sorted((header[12:16], header[16:20]))) for header in headers
            if not ipaddress.ip_address(header[16:20]).is_multicast}


class MixTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netscope-bench-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "mix.pcap"

    def mix(self, *words):
        output_of(MIX, *words)
        return frames_of(self.path)

    def check_order_and_checksums(self, frames):
        times = [time_us for time_us, _ in frames]
        self.assertEqual(times, sorted(times))
        for _, frame in frames:
            header = ipv4_header(frame)
            self.assertTrue(header is None or word_sum(header) == 0xFFFF, frame.hex())

    def test_copies_are_flows_of_their_own_in_the_order_of_time(self):
        sources = [CAPTURES / "browsing.pcap", CAPTURES / "mail-retransmissions.pcap"]
        originals = [frame for source in sources for _, frame in frames_of(source)]
        once = self.mix("--copies", 1, self.path, *sources)
        self.assertEqual(sorted(frame for _, frame in once), sorted(originals))
        thrice = self.mix("--copies", 3, self.path, *sources)
        self.assertEqual(len(thrice), 3 * len(originals))
        self.check_order_and_checksums(thrice)
        pairs = len(address_pairs(originals))
        self.assertGreater(pairs, 20)
        self.assertEqual(len(address_pairs(frame for _, frame in thrice)), 3 * pairs)
        self.assertEqual(thrice, self.mix("--copies", 3, self.path, *sources))  # the same every time

    def test_syns_stand_behind_every_nth_packet(self):
        source = CAPTURES / "browsing.pcap"
        plain = self.mix("--copies", 2, self.path, source)
        syns = [frame for _, frame in self.mix("--flood", len(plain) // 3, self.path)]
        woven = self.mix("--copies", 2, "--syn-every", 3, self.path, source)
        self.assertEqual([packet for at, packet in enumerate(woven) if at % 4 != 3], plain)
        self.assertEqual([frame for _, frame in woven[3::4]], syns)
        self.assertEqual([time_us for time_us, _ in woven[3::4]], [time_us for time_us, _ in woven[2::4]][: len(syns)])

    def test_synthetic_flows_are_conversations(self):
        frames = self.mix("--synthetic", 100, 9, self.path)
        self.assertEqual(len(frames), 900)
        self.check_order_and_checksums(frames)
        flows = {}
        for _, frame in frames:
            key = frozenset(((frame[26:30], frame[34:36]), (frame[30:34], frame[36:38])))
            flows.setdefault(key, []).append(frame[47])
        self.assertEqual(len(flows), 100)
        exchange = [0x18, 0x18, 0x10]
        self.assertEqual({tuple(flags) for flags in flows.values()}, {(0x02, 0x12, 0x10, *exchange, *exchange)})

    def test_a_flood_is_syns_from_everywhere_to_one_server(self):
        frames = self.mix("--flood", 1000, self.path)
        self.check_order_and_checksums(frames)
        self.assertEqual({frame[47] for _, frame in frames}, {0x02})
        self.assertEqual(len({frame[30:34] + frame[36:38] for _, frame in frames}), 1)
        self.assertGreater(len({frame[26:30] for _, frame in frames}), 990)


class MicroTest(unittest.TestCase):
    def check(self, output):
        for row in ROWS:
            self.assertIn(f"\n{row}", f"\n{output}")
        for line in output.splitlines():
            value = float(line[44:].split()[0])
            self.assertTrue(0 < value < 10_000_000, line)

    def test_runs_to_its_end(self):
        self.check(output_of(MICRO, "--quick"))
        self.check(output_of(MICRO, "--quick", CAPTURES / "browsing.pcap"))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] == "--help":
        print(USAGE)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 2)
    MIX, MICRO = sys.argv[1:]
    unittest.main(argv=sys.argv[:1], verbosity=2)
