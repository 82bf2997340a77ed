"""Wrong and hostile inputs: each gets its exit code and a sentence, and loses no packet that was there."""

import gzip
import struct
import subprocess
import time
import unittest

import capture_file
import sensor

SECOND = 1_000_000_000
YEAR = 365 * 86400 * SECOND
START = 1_600_000_000 * SECOND


def small_frame(index=0):
    return capture_file.udp_frame("10.0.0.1", "10.0.0.2", 1000 + index, 53, b"payload")


class UnreadableTest(sensor.SensorTest):
    """No capture at all: exit 3."""

    def refuse(self, content, said):
        path = self.folder / "input.pcap"
        path.write_bytes(content)
        self.check(sensor.run("-r", path), sensor.UNREADABLE, said)

    def test_missing_file(self):
        self.check(sensor.run("-r", self.folder / "none.pcap"), sensor.UNREADABLE, r"none\.pcap.*(No such|not exist)")

    def test_empty_file(self):
        self.refuse(b"", r"input\.pcap.*empty")

    def test_text_file(self):
        self.refuse(b"This is a letter and no capture.\n" * 20, r"input\.pcap")

    def test_gzip_of_a_text(self):
        self.refuse(gzip.compress(b"This is a letter and no capture.\n" * 20), r"input\.pcap")

    def test_directory_without_captures(self):
        self.check(sensor.run("-r", self.folder), sensor.UNREADABLE, r"netscope-test-")


class DamagedTest(sensor.SensorTest):
    """A capture that ends or lies in the middle: every whole packet, a warning, exit 4."""

    def write(self, *parts, link_type=capture_file.ETHERNET):
        path = self.folder / "input.pcap"
        path.write_bytes(capture_file.pcap_header(link_type) + b"".join(parts))
        return path

    def truncated(self, path, packets):
        summary = self.summarise("-r", path, code=sensor.TRUNCATED)
        self.assertEqual(summary["packets"], packets)
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.assertRegex(sensor.run("-r", path).stderr.decode(), r"input\.pcap")

    def test_cut_in_a_packet(self):
        records = [capture_file.pcap_record(START + index, small_frame()) for index in range(3)]
        self.truncated(self.write(records[0], records[1], records[2][:-5]), 2)

    def test_cut_in_the_file_header(self):
        path = self.folder / "input.pcap"
        path.write_bytes(capture_file.pcap_header()[:10])
        self.truncated(path, 0)

    def test_cut_in_a_record_header(self):
        record = capture_file.pcap_record(START, small_frame())
        self.truncated(self.write(record, record[:7]), 1)

    def test_captured_length_of_4_gib(self):
        record = capture_file.pcap_record(START, small_frame())
        liar = capture_file.pcap_record(START, small_frame(), captured=0xFFFFFFFF)
        self.truncated(self.write(record, liar), 1)

    def test_cut_gzip(self):
        record = capture_file.pcap_record(START, small_frame())
        path = self.write(*[record] * 2000)
        path.write_bytes(gzip.compress(path.read_bytes())[:-20])
        summary = self.summarise("-r", path, code=sensor.TRUNCATED)
        self.assertGreater(summary["packets"], 0)

    def test_pcapng_block_that_is_too_long(self):
        content = bytearray((sensor.CAPTURES / "tunnels-6in4.pcapng").read_bytes())
        place = self.folder / "input.pcap"
        section_bytes = struct.unpack_from("<I", content, 4)[0]
        struct.pack_into("<I", content, section_bytes + 4, 0xFFFFFFF0)
        place.write_bytes(content)
        self.truncated(place, 0)


class SeveralTest(sensor.SensorTest):
    """Several inputs: a bad one is told of once, and no two are taken for one interface."""

    def second_sightings(self, *paths):
        inputs = [word for path in paths for word in ("-r", path)]
        warnings = self.summarise(*inputs)["warnings"]
        return any("50 % of the packets are second sightings" in warning for warning in warnings)

    def test_the_same_packets_twice_are_second_sightings(self):
        browsing = sensor.CAPTURES / "browsing.pcap"
        copies = [self.folder / folder / "x.pcap" for folder in "ab"]
        for copy in copies:
            copy.parent.mkdir()
            copy.write_bytes(browsing.read_bytes())
        self.assertTrue(self.second_sightings(browsing, browsing))
        self.assertTrue(self.second_sightings(*copies))
        self.assertFalse(self.second_sightings(browsing))

    def test_a_missing_and_a_cut_file_are_each_told_once(self):
        good, cut, missing = sensor.CAPTURES / "gre.pcap", self.folder / "cut.pcap", self.folder / "none.pcap"
        cut.write_bytes(good.read_bytes()[:-5])
        result = self.check(sensor.run("-r", good, "-r", missing, "-r", cut), sensor.UNREADABLE)
        said = result.stderr.decode()
        self.assertEqual(said.count(f"{missing} cannot be opened"), 1, said)
        self.assertEqual(said.count(f"{cut} is cut short"), 1, said)
        self.assertIn(f"error: 2 of 3 inputs were not read whole, the first of them {missing}\n", said)

    def test_what_a_directory_hides_is_told_of(self):
        """A link to nowhere, a file that fails to be read and one that may not be: each as if it was named."""
        good = (sensor.CAPTURES / "gre.pcap").read_bytes()
        (self.folder / "a.pcap").write_bytes(good)
        (self.folder / "letter.txt").write_text("no capture")
        self.check(sensor.run("-r", self.folder), sensor.DONE)
        for name, target in (("b.pcap", self.folder / "gone"), ("c.pcap", "/proc/self/mem")):
            link = self.folder / name
            link.symlink_to(target)
            said = self.check(sensor.run("-r", self.folder), sensor.UNREADABLE).stderr.decode()
            self.assertIn("1 of 2 inputs was not read whole: " + str(link), said)
            link.unlink()
        cut = self.folder / "d.pcap"
        cut.write_bytes(good[:-5])
        self.check(sensor.run("-r", self.folder), sensor.TRUNCATED, "1 of 2 inputs was not read whole")
        cut.write_bytes(gzip.compress(good)[:12] + bytes(40))
        self.check(sensor.run("-r", self.folder), sensor.UNREADABLE, "1 of 2 inputs was not read whole")

    def test_an_offset_in_packed_data_says_so(self):
        cut = self.folder / "cut.gz"
        cut.write_bytes(gzip.compress((sensor.CAPTURES / "gre.pcap").read_bytes()[:-5]))
        self.check(sensor.run("-r", cut), sensor.TRUNCATED, r"cut short at byte \d+ of the unpacked data, after")

    def test_standard_input_is_called_so(self):
        result = subprocess.run(["bash", "-c", f"'{sensor.BINARY}' -r - <'{self.folder}'"], stderr=subprocess.PIPE,
                                env=sensor.environment(), timeout=60, check=False)
        self.check(result, sensor.UNREADABLE, "error: standard input is a directory")


class OddTest(sensor.SensorTest):
    """Strange but whole captures: they run to their end with exit 0 and count every packet."""

    def write(self, frames, link_type=capture_file.ETHERNET):
        path = self.folder / "input.pcap"
        capture_file.write_pcap(path, frames, link_type)
        return path

    def whole(self, frames, link_type=capture_file.ETHERNET):
        summary = self.summarise("-r", self.write(frames, link_type))
        self.assertEqual(summary["packets"], len(frames))
        self.assertEqual(sensor.ledger_missing(summary), 0)
        return summary

    def test_no_packets(self):
        self.whole([])

    def test_zero_length_packets(self):
        self.whole([(START + index, b"") for index in range(10)])

    def test_every_short_frame(self):
        frame = small_frame()
        self.whole([(START, frame[:length]) for length in range(len(frame))])

    def test_unknown_link_type(self):
        path = self.write([(START, small_frame())] * 5, link_type=147)
        self.assertEqual(self.summarise("-r", path)["packets"], 5)
        self.assertIn(b"147", self.check(sensor.run("-r", path)).stdout)

    def test_frames_of_64_kib(self):
        frame = capture_file.udp_frame("10.0.0.1", "10.0.0.2", 1, 2, bytes(65535 - 42))
        self.whole([(START + index * 1000, frame) for index in range(300)])

    def test_frames_past_64_kib(self):
        frame = capture_file.udp_frame("10.0.0.1", "10.0.0.2", 1, 2, bytes(60000)) + bytes(140_000)
        self.whole([(START + index * 1000, frame) for index in range(40)])

    def timed(self, frames):
        started = time.monotonic()
        self.whole(frames)
        return time.monotonic() - started

    def test_a_clock_that_steps_back_or_leaps_costs_nothing(self):
        count = 3000
        steady = self.timed([(START + index * SECOND, small_frame(index)) for index in range(count)])
        for name, times in (
            ("back", [START - index * 30 * SECOND for index in range(count)]),
            ("to and fro", [START + (index % 2) * 10 * YEAR for index in range(count)]),
            ("leaps", [min(START + index * YEAR // 100, 4_000_000_000 * SECOND) for index in range(count)]),
            ("around zero", [(index % 3) * SECOND for index in range(count)]),
            ("the last second", [(2**32 - 1) * SECOND + index for index in range(count)]),
        ):
            with self.subTest(name):
                took = self.timed([(when, small_frame(index)) for index, when in enumerate(times)])
                self.assertLess(took, 5 * steady + 2)


class UsageTest(sensor.SensorTest):
    """Bad command lines and settings: exit 2 and a sentence that says how to mend it."""

    capture = str(sensor.CAPTURES / "gre.pcap")

    def refuse(self, *arguments, said, settings=None):
        self.check(sensor.run(*arguments, settings=settings), sensor.USAGE, said)

    def test_unknown_flag_names_the_nearest(self):
        self.refuse("-r", self.capture, "--export-jsn", "x", said="--export-json")

    def test_bad_values(self):
        for flag, value in (("--flow-timeout-s", "soon"), ("--flow-timeout-s", "-1"), ("--snaplen", "99999999999"),
                            ("--report", "html"), ("--packets", "maybe"), ("--count", "1e")):
            with self.subTest(flag=flag, value=value):
                self.refuse("-r", self.capture, flag, value, said=flag)

    def test_bad_environment_value(self):
        self.refuse("-r", self.capture, said="NETSCOPE_FLOW_TIMEOUT_SECS",
                    settings={"NETSCOPE_FLOW_TIMEOUT_SECS": "soon"})

    def test_unknown_environment_warns_and_service_links_do_not(self):
        settings = {"NETSCOPE_FLOW_TIMEOUT_SEC": "5", "NETSCOPE_SERVICE_HOST": "10.0.0.1",
                    "NETSCOPE_PORT_80_TCP_ADDR": "10.0.0.1"}
        result = self.check(sensor.run("-r", self.capture, settings=settings), said="NETSCOPE_FLOW_TIMEOUT_SEC")
        self.assertNotIn(b"SERVICE_HOST", result.stderr)
        self.assertNotIn(b"PORT_80", result.stderr)

    def test_file_and_interface_exclude_each_other(self):
        self.refuse("-r", self.capture, "-i", "lo", said="-i|interface")

    def test_bad_filter_gives_the_reason(self):
        self.refuse("-r", self.capture, "tcp portt 80", said="(?i)filter.*(syntax|portt)")

    def test_letters_of_tcpdump_name_the_long_flag(self):
        for letter in ("-p", "-t", "-l"):
            with self.subTest(letter=letter):
                self.refuse("-r", self.capture, letter, said="--")

    def test_a_file_name_without_r_gets_a_hint(self):
        self.refuse(self.capture, said="-r")

    def test_two_outputs_on_stdout(self):
        self.refuse("-r", self.capture, "--export-json", "-", "--export-csv", "-", said="stdout")

    def test_rotation_wants_both_settings(self):
        self.refuse("-r", self.capture, "-w", self.folder / "x.pcap", "--write-pcap-rotate-mb", "1", said="max")


class CheckConfigTest(sensor.SensorTest):
    """--check-config says what the run would say."""

    def same(self, *arguments):
        said = self.check(sensor.run("--check-config", *arguments), sensor.USAGE).stderr
        self.assertEqual(self.check(sensor.run("-r", UsageTest.capture, *arguments), sensor.USAGE).stderr, said)

    def test_what_a_run_refuses(self):
        self.same("foo bar")
        self.same("--names-file", self.folder / "none.csv")
        self.same("--networks-local", "10.0.0.1/8")

    def test_a_filter_is_compiled_for_its_files(self):
        self.check(sensor.run("--check-config", "-r", sensor.CAPTURES / "sll2.pcap", "ifindex 2"))
        self.check(sensor.run("--check-config", "-r", UsageTest.capture, "ifindex 2"), sensor.USAGE, "ifindex")
        self.check(sensor.run("--check-config", "-r", self.folder / "none.pcap", "tcp"))
        self.check(sensor.run("--check-config", "-r", "-", "tcp", stdin=b""))

    def test_a_live_filter_may_ask_the_kernel(self):
        self.check(sensor.run("--check-config", "-i", "eth0", "inbound and tcp"))
        self.check(sensor.run("--check-config", "-i", "any", "ifindex 2"))


class SettingsFileTest(sensor.SensorTest):
    def refuse(self, text, said):
        path = self.folder / "netscope.yaml"
        path.write_text(text, encoding="utf-8")
        for arguments in (["--check-config"], ["-r", UsageTest.capture]):
            self.check(sensor.run("--config", path, *arguments), sensor.USAGE, said)

    def test_unknown_key_gives_place_and_nearest(self):
        self.refuse("flow:\n  timeout_sec: 5\n", r"netscope\.yaml:2.*timeout_secs")

    def test_wrong_type_and_range(self):
        self.refuse("flow:\n  timeout_secs: soon\n", r"netscope\.yaml:2.*timeout_secs")
        self.refuse("pipeline:\n  tick_ms: 0\n", r"netscope\.yaml:2.*tick_ms")

    def test_no_yaml(self):
        self.refuse("flow: [1\n", r"netscope\.yaml")

    def test_key_of_the_seed_gets_a_hint(self):
        self.refuse("capture:\n  interface: eth0\n", r"interfaces")

    def test_good_settings_pass_and_print(self):
        path = self.folder / "netscope.yaml"
        path.write_text("flow:\n  timeout_secs: 7\n", encoding="utf-8")
        self.check(sensor.run("--config", path, "--check-config"))
        printed = self.check(sensor.run("--config", path, "--print-config", "--flow-timeout-s", 9,
                                        settings={"NETSCOPE_FLOW_UDP_TIMEOUT_SECS": "11"})).stdout.decode()
        self.assertRegex(printed, r"(?m)^flow:$")
        self.assertRegex(printed, r"(?m)^ +timeout_secs: 9\b")
        self.assertRegex(printed, r"(?m)^ +udp_timeout_secs: 11\b")
        again = self.folder / "again.yaml"
        again.write_text(printed, encoding="utf-8")
        self.assertEqual(self.check(sensor.run("--config", again, "--print-config")).stdout.decode(), printed)


if __name__ == "__main__":
    sensor.main()
