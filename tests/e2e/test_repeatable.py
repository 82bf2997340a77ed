"""Equal input gives equal bytes, however it comes in."""

import gzip
import json
import struct
import subprocess
import unittest

import capture_file
import sensor

BROWSING = sensor.CAPTURES / "browsing.pcap"


class RepeatableTest(sensor.SensorTest):
    def export(self, *arguments, stdin=None):
        result = self.check(sensor.run(*arguments, "--export-json", "-", "--report", "none", stdin=stdin))
        return result.stdout

    def flows(self, *arguments, stdin=None):
        """Without interfaces, which are the files' names."""
        text = self.export(*arguments, stdin=stdin)
        return [{**flow, "interface": "", "observed_at": []} for flow in json.loads(text)]

    def test_the_same_file_twice_gives_the_same_bytes(self):
        for capture in sorted(sensor.CAPTURES.glob("*.pcap*")):
            with self.subTest(capture.name):
                self.assertEqual(self.export("-r", capture), self.export("-r", capture))

    def test_workers_and_batches_change_nothing(self):
        many = self.folder / "many.pcap"
        capture_file.write_pcap(many, self.many_flows())
        for capture, flows in ((BROWSING, 40), (many, 1500)):
            expected = self.ended_and_export(capture)
            self.assertGreater(len(json.loads(expected[1])), flows)
            for workers in (1, 2, 3, 8):
                for batch in (1, 7, 256, 4096):
                    with self.subTest(capture=capture.name, workers=workers, batch=batch):
                        changed = self.ended_and_export(capture, "--workers", workers, "--batch", batch)
                        self.assertEqual(changed, expected)

    def test_workers_do_not_choose_between_tenants(self):
        """Answers outside of any tunnel to questions that two tenants asked: whose they are, no place in memory tells."""
        capture = self.folder / "tenants.pcap"
        capture_file.write_pcap(capture, self.tenants())
        expected = self.export("-r", capture, "--workers", 1)
        for workers in (2, 3, 8):
            self.assertEqual(self.export("-r", capture, "--workers", workers), expected, workers)
        answered = [flow["tunnel"]["id"] for flow in json.loads(expected) if flow["packets_b_to_a"] > 0]
        self.assertEqual(answered, [2] * 2000)

    @staticmethod
    def tenants():
        """Of two tenants the same 2000 endpoints, the second one's later; flows of a third one, soon over, lie between."""
        def inside(tenant, ports, flags):
            frame = capture_file.tcp_frame("10.0.0.1", "10.0.0.2", ports, (100, 0), flags, b"question")
            header = struct.pack(">BxxxI", 8, tenant << 8)
            return capture_file.udp_frame("192.0.2.1", "192.0.2.2", 40000, 4789, header + frame)

        first, data, reset = range(3000, 5000), 0x18, 0x04
        frames = []
        for port in first:
            frames += [(0, inside(9, (port + 30000, 81), reset)), (0, inside(1, (port, 80), data)),
                       (0, inside(9, (port + 40000, 81), reset))]
        frames += [(1_000_000_000, capture_file.udp_frame("10.0.0.1", "10.0.0.2", 7, 7)) for _ in range(20)]
        frames += [(0, inside(2, (port, 80), data)) for port in first]
        frames += [(0, capture_file.tcp_frame("10.0.0.2", "10.0.0.1", (80, port), (500, 108), data, b"answer"))
                   for port in first]
        time_ns = 1_600_000_000 * 1_000_000_000
        for pause_ns, frame in frames:
            time_ns += 1000 + pause_ns
            yield time_ns, frame

    def ended_and_export(self, capture, *arguments):
        """The flows as they ended, which time out and are evicted during the run, and all of them at its end."""
        ended = self.folder / "ended.jsonl"
        export = self.export("-r", capture, "--udp-timeout-s", 20, "--active-timeout-s", 15, "--max-flows", 700,
                             "--expired-flows-jsonl", ended, *arguments)
        return ended.read_bytes(), export

    @staticmethod
    def many_flows():
        """Conversations of UDP and TCP, many with equal stamps, over five minutes; some come again after a pause."""
        start = 1_600_000_000 * 1_000_000_000
        for index in range(6000):
            time_ns = start + index // 4 * 200_000_000
            conversation = index * 7919 % 1900
            client, port = f"10.1.{conversation % 7}.{conversation % 250}", 2000 + conversation
            if conversation % 2 == 0:
                yield time_ns, capture_file.udp_frame(client, "192.0.2.1", port, 53, bytes(conversation % 90))
            else:
                flags = (0x02, 0x10, 0x18, 0x11, 0x04)[index % 5]
                yield time_ns, capture_file.tcp_frame(client, "192.0.2.2", (port, 443), (index, index), flags,
                                                      bytes(index % 3))

    def test_stdin_and_compressed_files(self):
        expected, content = self.flows("-r", BROWSING), BROWSING.read_bytes()
        self.assertEqual(self.flows("-r", "-", stdin=content), expected)
        self.assertEqual(self.flows("-r", "-", stdin=gzip.compress(content)), expected)
        for name, packed in (("a.pcap.gz", gzip.compress(content)), ("no-suffix", gzip.compress(content)),
                             ("a.pcap.zst", self.zstd(content))):
            path = self.folder / name
            path.write_bytes(packed)
            self.assertEqual(self.flows("-r", path), expected, name)

    def test_two_gzip_members_are_one_file(self):
        content = BROWSING.read_bytes()
        path = self.folder / "two.gz"
        path.write_bytes(gzip.compress(content[:100_001]) + gzip.compress(content[100_001:]))
        self.assertEqual(self.flows("-r", path), self.flows("-r", BROWSING))

    @staticmethod
    def zstd(content):
        return subprocess.run(["zstd", "-c"], input=content, stdout=subprocess.PIPE, check=True).stdout

    def test_byte_order_and_resolution_do_not_matter(self):
        frames = capture_file.read_frames(BROWSING)
        expected = self.flows("-r", BROWSING)
        for order in "<>":
            for magic, nanoseconds_per_tick in ((0xA1B2C3D4, 1000), (0xA1B23C4D, 1)):
                path = self.folder / "other.pcap"
                path.write_bytes(self.encode(frames, order, magic, nanoseconds_per_tick))
                self.assertEqual(self.flows("-r", path), expected, f"{order} {magic:x}")

    @staticmethod
    def encode(frames, order, magic, nanoseconds_per_tick):
        parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, capture_file.ETHERNET)]
        for frame in frames:
            seconds, nanoseconds = divmod(frame.time_ns, 1_000_000_000)
            parts.append(struct.pack(order + "IIII", seconds, nanoseconds // nanoseconds_per_tick,
                                     len(frame.content), frame.length) + frame.content)
        return b"".join(parts)

    def test_parts_in_any_order_and_a_directory_are_the_whole(self):
        frames = capture_file.read_frames(BROWSING)
        frames.sort(key=lambda frame: frame.time_ns)
        parts = self.folder / "parts"
        parts.mkdir()
        for name, some in (("c", frames[:200]), ("a", frames[200:500]), ("b", frames[500:])):
            capture_file.write_pcap(parts / f"{name}.pcap", [(frame.time_ns, frame.content) for frame in some])
        whole = self.folder / "whole.pcap"
        capture_file.write_pcap(whole, [(frame.time_ns, frame.content) for frame in frames])
        expected = self.flows("-r", whole)
        paths = [parts / f"{name}.pcap" for name in "abc"]
        self.assertEqual(self.flows("-r", paths[0], "-r", paths[1], "-r", paths[2]), expected)
        self.assertEqual(self.flows("-r", paths[2], "-r", paths[1], "-r", paths[0]), expected)
        self.assertEqual(self.flows("-r", parts), expected)

    def test_overlapping_files_are_merged_by_time(self):
        frames = sorted(capture_file.read_frames(BROWSING), key=lambda frame: frame.time_ns)
        paths = [self.folder / "even.pcap", self.folder / "odd.pcap"]
        for index, path in enumerate(paths):
            capture_file.write_pcap(path, [(frame.time_ns, frame.content) for frame in frames[index::2]])
        copy = self.folder / "copy.pcap"
        self.check(sensor.run("-r", paths[1], "-r", paths[0], "-w", copy, "--report", "none"))
        written = [frame.time_ns for frame in capture_file.read_frames(copy)]
        self.assertEqual(written, [frame.time_ns for frame in frames])

    def test_count_stops_at_exactly_that_many(self):
        for count in (1, 100, 730, 1000):
            summary = self.summarise("-r", BROWSING, "--count", count)
            self.assertEqual(summary["packets"], min(count, 730))
            self.assertEqual(sensor.ledger_missing(summary), 0)


if __name__ == "__main__":
    sensor.main()
