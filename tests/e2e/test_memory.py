"""Memory cgroups: no file can be the end of a run. One whose memory plan exceeds the limit does not begin."""

import contextlib
import gzip
import os
import random
import struct
import subprocess
import time
import unittest
from pathlib import Path

import capture_file
import sensor

MB = 1 << 20
ROOT = Path("/sys/fs/cgroup")


def own_group(controller):
    """The path of this process's group in a hierarchy: "memory" of version 1, "" of version 2."""
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return ""


def made(parent, limit_file, limit):
    group = parent / f"netscope-test-memory-{os.getpid()}"
    group.mkdir()
    try:
        (group / limit_file).write_text(str(limit), encoding="ascii")
    except OSError:
        group.rmdir()
        raise
    return group


def make_group(limit):
    """A group with a limit in whichever version of cgroups has the memory controller."""
    reasons = []
    for parent, limit_file in ((ROOT / "memory" / own_group("memory"), "memory.limit_in_bytes"),
                               (ROOT / "memory", "memory.limit_in_bytes"),
                               (ROOT / own_group(""), "memory.max"), (ROOT, "memory.max")):
        try:
            return made(parent, limit_file, limit)
        except OSError as error:
            reasons.append(str(error))
    raise unittest.SkipTest("no memory cgroup can be made: " + "; ".join(reasons))


@contextlib.contextmanager
def memory_group(limit):
    """The command that starts another within a group of its own."""
    group = make_group(limit)
    try:
        yield ("sh", "-c", f'echo $$ > "{group}/cgroup.procs" && exec "$@"', "sh")
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


def is_sanitized():
    return os.access(sensor.BINARY, os.R_OK) and any(name in Path(sensor.BINARY).read_bytes()
                                                      for name in (b"__asan_init", b"__tsan_init"))


def flood(path, flows):
    """A SYN each, ten a millisecond: none of them times out."""
    chance = random.Random(10)
    record = struct.pack("<II", 54, 54) + bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0])
    header = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0)
    transport = struct.pack(">IIBBHHH", 1, 0, 0x50, 2, 1000, 0, 0)
    with open(path, "wb") as file:
        file.write(capture_file.pcap_header(capture_file.ETHERNET))
        for number in range(flows):
            stamp = struct.pack("<II", 1_600_000_000 + number // 10_000, number % 10_000 * 100)
            file.write(stamp + record + header + chance.randbytes(8) +
                       struct.pack(">HH", number % 60_000 + 1024, 443) + transport)


def crowd(path, packets, protocol, fragment, transport):
    """A packet each of as many clients, ten a millisecond."""
    record = struct.pack("<II", 34 + len(transport), 34 + len(transport)) + bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0])
    with open(path, "wb") as file:
        file.write(capture_file.pcap_header(capture_file.ETHERNET))
        for number in range(packets):
            stamp = struct.pack("<II", 1_600_000_000 + number // 10_000, number % 10_000 * 100)
            header = struct.pack(">BBHHHBBHI4s", 0x45, 0, 20 + len(transport), number & 0xFFFF, fragment, 64, protocol, 0,
                                 0x0A000000 + number, b"\x08\x08\x08\x08")
            file.write(stamp + record + header + transport)


def segment(data):
    return struct.pack(">HHIIBBHHH", 1024, 443, 1, 1, 0x50, 0x18, 1000, 0, 0) + data


def zeros(path, packets):
    """What packs best: 260 MB in 270 KB."""
    record = struct.pack("<IIII", 1, 0, 65_000, 65_000) + bytes(65_000)
    with gzip.open(path, "wb") as file:
        file.write(capture_file.pcap_header(capture_file.ETHERNET))
        for _ in range(packets):
            file.write(record)


def long_name(chance):
    """250 bytes as a question has them."""
    return b"".join(b"\x3c" + chance.randbytes(30).hex().encode() for _ in range(4)) + b"\x06" + b"a" * 6 + b"\0"


def dns(path, queries, answered):
    """Each of a flow of its own with a name of its own, all at one moment; answers name four addresses each."""
    chance = random.Random(11)
    with open(path, "wb") as file:
        file.write(capture_file.pcap_header(capture_file.ETHERNET))
        for number in range(queries):
            flags, addresses = (0x8180, 4) if answered else (0x0100, 0)
            message = struct.pack(">6H", number % 65536, flags, 1, addresses, 0, 0) + long_name(chance)
            message += struct.pack(">HH", 1, 1)
            for place in range(addresses):
                message += struct.pack(">HHHIHI", 0xC00C, 1, 1, 60, 4, 0x20000000 + number * 4 + place)
            client = "10." + ".".join(str(number >> shift & 255) for shift in (16, 8, 0))
            ends = ("8.8.8.8", client, 53, 1024) if answered else (client, "8.8.8.8", 1024, 53)
            file.write(capture_file.pcap_record(1_600_000_000_000_000_000, capture_file.udp_frame(*ends, message)))


def wide_window(path):
    """A zstd frame that may look back 128 MB, and brings as much."""
    header = capture_file.pcap_header(capture_file.ETHERNET)
    blocks = [(len(header) << 3).to_bytes(3, "little") + header]
    blocks += [(131_072 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"] * 1200
    path.write_bytes(bytes([0x28, 0xb5, 0x2f, 0xfd, 0, (27 - 10) << 3]) + b"".join(blocks) + bytes([1, 0, 0]))


@unittest.skipIf(is_sanitized(), "a sanitizer needs memory of its own")
class MemoryTest(sensor.SensorTest):
    def survives(self, path, code, said=None, *arguments):
        for limit in (64, 128, 512):
            with memory_group(limit * MB) as inside:
                self.check(sensor.run("-r", path, *arguments, prefix=inside), code, said)

    def test_more_flows_than_fit(self):
        path = self.folder / "flood.pcap"
        flood(path, 1_500_000)
        self.survives(path, sensor.DONE)
        with memory_group(128 * MB) as inside:
            plan = self.check(sensor.run("--check-config", "-r", path, prefix=inside)).stdout.decode()
            self.assertIn("of 128 MB that the cgroup allows", plan)
            self.assertRegex(plan, "datagrams +2 MB ")

    def test_long_names_at_one_moment(self):
        path = self.folder / "dns.pcap"
        outputs = ("--workers", "4", "--export-json", self.folder / "flows.json", "--summary-json", os.devnull)
        for answered in (False, True):
            dns(path, 80_000, answered)
            self.survives(path, sensor.DONE, None, *outputs)
            self.assertEqual(len(sensor.load_json(self.folder / "flows.json")), 80_000)

    def test_datagrams_in_parts(self):
        """A few of the longest are put together at any limit, and wait for their chunks; fewer at a time under a lower one."""
        path, together = self.folder / "parts.pcap", 16
        datagrams = [list(capture_file.fragments(capture_file.udp_frame("10.0.0.1", "10.0.0.2", 5000, 9, bytes(60_000)), 8000,
                                                 number)) for number in range(8 * together)]
        def write(at_a_time):
            groups = [datagrams[at:at + at_a_time] for at in range(0, len(datagrams), at_a_time)]
            parts = [part for group in groups for part_of_each in zip(*group, strict=True) for part in part_of_each]
            capture_file.write_pcap(path, ((1_600_000_000_000_000_000 + i * 1000, part) for i, part in enumerate(parts)))
        for limit, at_a_time, lost in ((64, 8, 0), (64, together, len(datagrams) // 2), (512, together, 0)):
            write(at_a_time)
            for workers in (1, 3):
                with memory_group(limit * MB) as inside:
                    told = self.summarise("-r", path, "--workers", workers, prefix=inside)
                self.assertEqual((told["fragments"], told["given_up"]["datagrams"]), (8 * len(datagrams), lost))

    def test_what_does_not_fit_is_refused(self):
        path = self.folder / "flood.pcap"
        flood(path, 1)
        with memory_group(64 * MB) as inside:
            self.check(sensor.run("-r", path, "--max-flows", "1000000", prefix=inside), sensor.USAGE,
                       r"the memory plan needs \d+ MB but the cgroup allows 64 MB: lower flow\.max_flows")

    def test_data_that_packs_well(self):
        path = self.folder / "zeros.pcap.gz"
        zeros(path, 4000)
        self.survives(path, sensor.DONE)

    def test_a_window_that_does_not_fit_is_refused(self):
        path = self.folder / "window.pcap.zst"
        wide_window(path)
        self.survives(path, sensor.UNREADABLE, r"window\.pcap\.zst cannot be read.*needs a window of more than \d+ MB")


@unittest.skipIf(is_sanitized(), "a sanitizer needs memory of its own")
class CrowdTest(sensor.SensorTest):
    """A million of what waits for something that never comes. The bars are those of docs/performance.md."""

    def peak_of(self, *crowd_of):
        """(bytes a flow above a run without any, summary)"""
        capture, summary = self.folder / "crowd.pcap", self.folder / "summary.json"
        peaks = []
        for packets in (1, 1_000_000):
            crowd(capture, packets, *crowd_of)
            process = subprocess.Popen([sensor.BINARY, "-r", capture, "--no-anomalies", "--report", "none", "--summary-json",
                                        summary], stdout=subprocess.DEVNULL, env=sensor.environment())
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, sensor.DONE)
            peaks.append(usage.ru_maxrss * 1024)
        told = sensor.load_json(summary)
        self.assertEqual((told["ledger"]["analysed"], told["ledger"]["balanced"]), (1_000_000, True))
        self.assertEqual(told["flows"]["created"], 1_000_000)
        return (peaks[1] - peaks[0]) / 1_000_000, told

    def test_hellos_that_never_go_on(self):
        hello = bytes([22, 3, 1, 0x3F, 0xFC, 1, 0, 0x3F, 0xF8, 3, 3]) + bytes(89)
        flow_bytes, told = self.peak_of(6, 0, segment(hello))
        self.assertLess(flow_bytes, 620)
        (streams,) = (int(text.split()[0]) for text in told["warnings"] if "were never whole" in text)
        self.assertGreater(streams, 990_000)

    def test_flows_of_one_direction(self):
        flow_bytes, _ = self.peak_of(6, 0, segment(b"x" * 100))
        self.assertLess(flow_bytes, 256)

    def test_datagrams_of_which_one_part_came(self):
        flow_bytes, told = self.peak_of(17, 0x2000, struct.pack(">HHHH", 1024, 53, 200, 0) + bytes(56))
        self.assertLess(flow_bytes, 160)
        self.assertEqual(told["fragments"], 1_000_000)


if __name__ == "__main__":
    sensor.main()
