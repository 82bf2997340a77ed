"""Outputs of a run over a file: complete, consistent with each other, and readable when the disk is full."""

import csv
import io
import json
import os
import subprocess
import unittest

import capture_file
import sensor

SECOND = 1_000_000_000
START = 1_600_000_000 * SECOND
BROWSING = sensor.CAPTURES / "browsing.pcap"
FULL_DISK_FRAMES = 8000  # a flow each: more than the disk holds in every output
NO_DISK_RESERVE = {"NETSCOPE_OUTPUT_MIN_FREE_MB": "0"}


def many_frames(count, payload_bytes=1000):
    payload = bytes(payload_bytes)
    return [(START + index * 1_000_000, capture_file.udp_frame("10.0.0.1", "10.0.0.2", 1024 + index % 60000, 53, payload))
            for index in range(count)]


class ExportTest(sensor.SensorTest):
    def test_json_and_csv_hold_the_same_flows(self):
        as_json, as_csv = self.folder / "flows.json", self.folder / "flows.csv"
        summary = self.summarise("-r", BROWSING, "--export-json", as_json, "--export-csv", as_csv)
        flows = sensor.load_json(as_json)
        with open(as_csv, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(flows), len(rows))
        self.assertGreater(len(flows), 40)
        for flow, row in zip(flows, rows):
            self.assertEqual(flow["endpoint_a"]["ip"], row["endpoint_a.ip"])
            self.assertEqual(flow["packets_total"], int(row["packets_total"]))
            self.assertEqual(flow["sni"] or "", row["sni"])
        self.assertEqual(sum(flow["packets_total"] for flow in flows), summary["packets"] - 5)  # five are ARP

    def test_records_say_what_the_reference_promises(self):
        path = self.folder / "flows.json"
        self.check(sensor.run("-r", BROWSING, "--export-json", path))
        text = path.read_text(encoding="utf-8")
        flows = json.loads(text)
        self.assertRegex(text, r'"first_seen": ?\d+\.\d{9}\b')
        for flow in flows:
            self.assertIn(flow["client"], ("a_to_b", "b_to_a", None))
            self.assertRegex(flow["first_seen_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
            self.assertEqual(flow["packets_total"], flow["packets_a_to_b"] + flow["packets_b_to_a"])
            self.assertLessEqual(flow["first_seen"], flow["last_seen"])
        names = {flow["sni"] for flow in flows} - {None}
        self.assertIn("www.google.com", names)
        self.assertIn("dns", {flow["app"] for flow in flows})

    def test_streamed_records_have_a_reason_each(self):
        path = self.folder / "ended.jsonl"
        self.check(sensor.run("-r", BROWSING, "--expired-flows-jsonl", path))
        flows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        self.assertGreater(len(flows), 40)
        known = {"timeout", "active", "eviction", "closed", "reset", "reuse", "end"}
        self.assertLessEqual({flow["reason"] for flow in flows}, known)

    def test_ids_are_one_a_flow_and_the_same_in_every_output(self):
        outputs = {flag: self.folder / flag for flag in ("export-json", "export-csv", "expired-flows-jsonl")}
        for capture in sorted(sensor.CAPTURES.glob("*.pcap*")):
            with self.subTest(capture=capture.name):
                arguments = [part for flag, path in outputs.items() for part in ("--" + flag, path)]
                self.check(sensor.run("-r", capture, "--report", "none", "--max-flows", 300, *arguments))
                flows = sensor.load_json(outputs["export-json"])
                ids = [flow["id"] for flow in flows]
                self.assertEqual(len(set(ids)), len(ids))
                for flow_id in ids:
                    self.assertRegex(flow_id, "^[0-9a-f]{32}$")
                with open(outputs["export-csv"], encoding="utf-8", newline="") as file:
                    self.assertEqual([row["id"] for row in csv.DictReader(file)], ids)
                streamed = outputs["expired-flows-jsonl"].read_text(encoding="utf-8").splitlines()
                self.assertEqual(sorted(json.loads(line)["id"] for line in streamed), sorted(ids))

    def test_an_export_to_a_pipe_needs_no_temporary_file(self):
        result = sensor.run("-r", BROWSING, "--export-json", "-", settings={"TMPDIR": "/no/such/directory"})
        self.check(result)
        self.assertGreater(len(json.loads(result.stdout)), 40)

    def test_what_is_not_counted_is_null(self):
        path = self.folder / "flows.json"
        for flag, unknown in (("--no-retrans", "retransmissions"), ("--no-out-of-order", "out_of_order")):
            with self.subTest(flag=flag):
                self.check(sensor.run("-r", BROWSING, "--export-json", path, flag))
                for flow in sensor.load_json(path):
                    for name in ("retransmissions", "out_of_order"):
                        self.assertEqual(flow[name] is None, name == unknown)

    def test_a_summary_takes_the_place_of_the_one_before(self):
        """In one step: who reads the one before has all of it."""
        path = self.folder / "summary.json"
        path.write_bytes(b"before")
        os.chmod(path, 0o604)
        with open(path, "rb") as before:
            self.summarise("-r", BROWSING)
            self.assertEqual(before.read(), b"before")
        self.assertEqual(path.stat().st_mode & 0o777, 0o604)
        self.assertEqual([entry.name for entry in self.folder.iterdir()], ["summary.json"])

    def test_stdout_takes_one_output(self):
        result = self.check(sensor.run("-r", BROWSING, "--export-json", "-", "--report", "none"))
        self.assertGreater(len(json.loads(result.stdout)), 40)
        result = self.check(sensor.run("-r", BROWSING, "-w", "-", "--report", "none"))
        copy = self.folder / "copy.pcap"
        copy.write_bytes(result.stdout)
        self.assertEqual(capture_file.read_frames(copy), capture_file.read_frames(BROWSING))

    def test_packet_lines_are_numbered(self):
        result = self.check(sensor.run("-r", BROWSING, "--packets", "always", "--report", "none"))
        lines = result.stdout.decode().splitlines()
        self.assertEqual([int(line.split()[0]) for line in lines], list(range(1, 731)))

    def test_json_report(self):
        result = self.check(sensor.run("-r", BROWSING, "--report", "json"))
        self.assertEqual(json.loads(result.stdout)["packets"], 730)

    def test_packet_lines_keep_out_of_what_programs_read(self):
        for arguments in (("--report", "json"), ("--report", "none", "--export-json", "-")):
            result = self.check(sensor.run("-r", BROWSING, "--packets", "always", *arguments))
            json.loads(result.stdout)
            self.assertEqual(len(result.stderr.splitlines()), 730)

    def test_a_closed_stdout_ends_the_run(self):
        command = f"'{sensor.BINARY}' -r '{BROWSING}' --packets always | head -n 1"
        result = subprocess.run(["bash", "-c", command], env=sensor.environment(), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=60, check=True)
        self.assertIsNone(sensor.finding(result.stderr), result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 1)


class BrokenOutputTest(sensor.SensorTest):
    """An output that fails is told once, the others and the report are whole, exit 8."""

    def test_a_full_device(self):
        for flag in ("--export-json", "--export-csv", "--expired-flows-jsonl", "--expired-flows-csv", "-w"):
            with self.subTest(flag=flag):
                result = self.check(sensor.run("-r", BROWSING, flag, "/dev/full"), sensor.OUTPUT)
                self.judge(result, rf"/dev/full is incomplete: .*No space left on device")
                self.assertIn(b"Top talker", result.stdout)

    def test_a_limit_of_file_size(self):
        """ulimit -f: an error of each write, not the end of the process."""
        copy, summary = self.folder / "copy.pcap", self.folder / "summary.json"
        result = sensor.run("-r", BROWSING, "-w", copy, "--export-json", self.folder / "flows.json",
                            "--report", "none", "--summary-json", summary, prefix=("prlimit", "--fsize=1000"))
        self.check(result, sensor.OUTPUT, "copy.pcap is incomplete: File too large")
        self.assertIn(b"summary.json is incomplete: File too large", result.stderr)
        self.assertGreater(len(capture_file.read_frames(copy)), 1)
        self.assertEqual(sensor.load_json(self.folder / "flows.json"), [])

    def test_a_device_takes_any_number_of_outputs(self):
        flags = ("-w", "--export-json", "--export-csv", "--expired-flows-jsonl", "--summary-json")
        arguments = [word for flag in flags for word in (flag, "/dev/null")]
        self.check(sensor.run("-r", BROWSING, "--report", "none", *arguments))

    def test_a_broken_pipe(self):
        for flag in ("--export-json", "--export-csv", "--expired-flows-jsonl", "--expired-flows-csv", "-w"):
            with self.subTest(flag=flag):
                summary = self.folder / "summary.json"
                reader, writer = os.pipe()
                os.close(reader)
                result = subprocess.run([sensor.BINARY, "-r", BROWSING, flag, "-", "--report", "none",
                                         "--summary-json", summary], env=sensor.environment(), stdout=writer,
                                        stderr=subprocess.PIPE, timeout=60, check=False)
                os.close(writer)
                self.check(result, sensor.OUTPUT)
                said = self.judge(result, "standard output is incomplete: .*Broken pipe")
                self.assertEqual(sensor.load_json(summary)["warnings"], [said])

    def judge(self, result, sentence):
        lines = result.stderr.decode().splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], sentence)
        return lines[0].removeprefix("netscope: error: ")


class ReserveTest(sensor.SensorTest):
    def test_too_little_free_space_is_said_alike_for_every_output(self):
        for flag in ("-w", "--expired-flows-jsonl"):
            with self.subTest(flag=flag):
                result = sensor.run("-r", BROWSING, flag, self.folder / "x", "--report", "none",
                                    settings={"NETSCOPE_OUTPUT_MIN_FREE_MB": "1048576"})
                self.check(result, sensor.OUTPUT, r"/x: less than 1048576 MB are free \(output\.min_free_mb\); ")
                self.check(result, sensor.OUTPUT, r"less free space than output\.min_free_mb")


class FullStdoutTest(sensor.SensorTest):
    def test_what_is_only_printed_says_why_it_fails(self):
        for flag in ("--help", "-V", "-D", "--print-config", "--check-config", "--synthetic-flows=1"):
            with self.subTest(flag=flag), open("/dev/full", "wb") as full:
                result = subprocess.run([sensor.BINARY, flag], env=sensor.environment(), stdout=full,
                                        stderr=subprocess.PIPE, timeout=60, check=False)
                self.check(result, sensor.OUTPUT, "cannot write standard output: No space left on device")


class RotationTest(sensor.SensorTest):
    def rotate(self, frames, files):
        source = self.folder / "in.pcap"
        capture_file.write_pcap(source, frames)
        self.check(sensor.run("-r", source, "-w", self.folder / "ring.pcap", "--write-pcap-rotate-mb", 1,
                              "--write-pcap-max-files", files, "--report", "none"))
        return sorted(self.folder.glob("ring*"))

    def test_no_packet_is_lost_between_files(self):
        frames = many_frames(5000)
        written = self.rotate(frames, 100)
        self.assertGreater(len(written), 4)
        self.assertEqual(written[0].name, "ring.000001.pcap")
        copies = [frame for path in written for frame in capture_file.read_frames(path)]
        self.assertEqual([(frame.time_ns, frame.content) for frame in copies], frames)
        self.assertLessEqual(max(path.stat().st_size for path in written), 1 << 20)

    def test_exactly_n_files_stay(self):
        frames = many_frames(5000)
        written = self.rotate(frames, 3)
        self.assertEqual(len(written), 3)
        copies = [frame for path in written for frame in capture_file.read_frames(path)]
        self.assertEqual([(frame.time_ns, frame.content) for frame in copies], frames[-len(copies) :])

    def test_neighbours_are_left_alone(self):
        """Captures of days lie beside rotated ones: what the run did not write it does not delete."""
        days = [self.folder / f"cap.202611{day}.pcap" for day in ("01", "02", "03", "04", "20")]
        flows = [self.folder / f"flows.202611{day}.jsonl" for day in ("01", "02", "03", "04", "20")]
        for path in days + flows:
            path.write_bytes(b"not ours")
        source = self.folder / "in.pcap"
        capture_file.write_pcap(source, many_frames(5000))
        for _ in range(2):
            self.check(sensor.run("-r", source, "--report", "none", "-w", self.folder / "cap.pcap",
                                  "--write-pcap-rotate-mb", 1, "--write-pcap-max-files", 2,
                                  "--expired-flows-jsonl", self.folder / "flows.jsonl",
                                  settings={"NETSCOPE_OUTPUT_ROTATE_MB": "1", "NETSCOPE_OUTPUT_MAX_FILES": "2"}))
            for path in days + flows:
                self.assertEqual(path.read_bytes(), b"not ours")
            self.assertEqual(len(list(self.folder.glob("cap.0*.pcap"))), 2)
            self.assertEqual(len(list(self.folder.glob("flows.0*.jsonl"))), 2)


class BadPlaceTest(sensor.SensorTest):
    flags = ("--write-pcap", "--export-json", "--export-csv", "--expired-flows-jsonl", "--expired-flows-csv",
             "--summary-json")

    def test_an_unwritable_path_is_named(self):
        for flag in self.flags:
            with self.subTest(flag=flag):
                result = sensor.run("-r", BROWSING, flag, self.folder / "none" / "output")
                self.check(result, sensor.OUTPUT, r"none/output.*(No such|not exist)")

    def test_a_directory_is_no_output(self):
        for flag in self.flags:
            with self.subTest(flag=flag):
                self.check(sensor.run("-r", BROWSING, flag, self.folder), sensor.OUTPUT, str(self.folder))


@unittest.skipIf(os.geteuid() != 0, "needs root to mount a small disk")
class FullDiskTest(sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.disk], check=False,
                                 stderr=subprocess.PIPE, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a small disk: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", self.disk], check=False)
        self.frames = many_frames(FULL_DISK_FRAMES)
        self.source = self.folder / "in.pcap"
        capture_file.write_pcap(self.source, self.frames)

    def fill(self, flag, name):
        other = self.folder / "elsewhere.json"
        path = self.disk / name
        result = sensor.run("-r", self.source, flag, path, "--export-json", other, "--report", "none",
                            settings=NO_DISK_RESERVE)
        self.check(result, sensor.OUTPUT, rf"{name}.*No space")
        self.assertEqual(len(sensor.load_json(other)), FULL_DISK_FRAMES)  # the other outputs are whole
        return path

    def test_a_pcap_stays_readable(self):
        written = capture_file.read_frames(self.fill("-w", "full.pcap"))
        self.assertGreater(len(written), 500)
        self.assertEqual([(frame.time_ns, frame.content) for frame in written], self.frames[: len(written)])

    def test_streamed_records_stay_readable(self):
        lines = self.fill("--expired-flows-jsonl", "full.jsonl").read_text(encoding="utf-8").split("\n")
        self.assertGreater(len(lines), 500)
        for line in lines[:-1]:
            json.loads(line)
        self.assertEqual(lines[-1], "")

    def test_csv_stays_readable(self):
        text = self.fill("--export-csv", "full.csv").read_text(encoding="utf-8")
        rows = list(csv.reader(io.StringIO(text)))
        self.assertGreater(len(rows), 500)
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})


@unittest.skipIf(os.geteuid() != 0, "needs root to mount a small disk")
class LastBlocksTest(sensor.SensorTest):
    """A file system that caches large pages refuses one that does not fit whole; the disk has room for a part of it."""

    def test_a_disk_is_filled_to_its_end(self):
        image, disk = self.folder / "image", self.folder / "disk"
        image.write_bytes(bytes(256 * 1024))
        disk.mkdir()
        mounted = subprocess.run(f"mkfs.ext2 -q {image} && mount -o loop {image} {disk}", shell=True, check=False,
                                 stderr=subprocess.PIPE, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a small disk: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", disk], check=False)
        copy = disk / "copy.pcap"
        result = sensor.run("-r", BROWSING, "-w", copy, "--report", "none", settings=NO_DISK_RESERVE)
        self.check(result, sensor.OUTPUT, "copy.pcap is incomplete: No space left")
        written, source = capture_file.read_frames(copy), capture_file.read_frames(BROWSING)
        self.assertEqual(written, source[: len(written)])
        room = os.statvfs(disk)
        self.assertLess(room.f_bavail * room.f_frsize, 4096)


if __name__ == "__main__":
    sensor.main()
