"""SIGHUP reads the settings file again while a run goes on: all of it is put in force, or nothing."""

import fcntl
import json
import os
import re
import signal
import time

import capture_file
import namespaces
import sensor

SEND = ("import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "first, count, rounds = map(int, sys.argv[1:])\n"
        "for _ in range(rounds):\n"
        "    for port in range(first, first + count):\n"
        "        s.sendto(b'x' * 100, ('127.0.0.1', port))\n"
        "    time.sleep(0.01)\n")

F_SETPIPE_SZ = 1031
ACTIVE = re.compile(r"lost; (\d+) flows active")


class ReloadTest(namespaces.NamespaceTest, sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.inside = self.make("reload").inside("reload")
        self.file = self.folder / "netscope.yaml"
        self.ended = self.folder / "ended.jsonl"
        self.summary = self.folder / "summary.json"

    def start(self, yaml, *arguments, captured=("-i", "lo", "udp")):
        self.file.write_text(yaml, encoding="utf-8")
        running = sensor.Running(
            "--config", self.file, "--packets", "never", "--expired-flows-jsonl", self.ended,
            "--summary-json", self.summary, *arguments, *captured, prefix=self.inside)
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        return running

    def send(self, first=5000, count=10, rounds=1):
        namespaces.command(*self.inside, "python3", "-c", SEND, first, count, rounds)

    def reload(self, running, yaml, said=None):
        """Replaces the file, asks for it, and waits until the log says so."""
        before = len(running.stderr())
        new = self.folder / "new.yaml"
        new.write_text(yaml, encoding="utf-8")
        new.replace(self.file)
        running.process.send_signal(signal.SIGHUP)
        if said is not None:
            sensor.until(lambda: re.search(said, running.stderr()[before:]), 10,
                         lambda: f"not said: {said}\n{running.stderr()}")

    def end(self, running, code=sensor.DONE):
        summary = self.end_closed(running, self.summary, signal.SIGTERM, code)
        self.assertEqual(summary["ledger"]["lost"], [])
        return summary

    def records(self):
        if not self.ended.exists():
            return []
        return [json.loads(line) for line in self.ended.read_text(encoding="utf-8").splitlines()]

    def active_flows(self, running):
        before = len(ACTIVE.findall(running.stderr()))
        running.process.send_signal(signal.SIGUSR1)
        sensor.until(lambda: len(ACTIVE.findall(running.stderr())) > before, 10, running.stderr)
        return int(ACTIVE.findall(running.stderr())[-1])

    def test_timeouts(self):
        running = self.start("log: {level: info}\n")
        self.send(count=20)
        namespaces.settle()
        self.assertEqual(self.records(), [])
        self.reload(running, "log: {level: info}\nflow: {udp_timeout_secs: 1}\n",
                    "info: flow.udp_timeout_secs has changed")
        sensor.until(lambda: len(self.records()) == 20, 10, running.stderr)
        self.assertEqual({record["reason"] for record in self.records()}, {"timeout"})
        running.process.send_signal(signal.SIGHUP)
        sensor.until(lambda: "info: the settings file says nothing new" in running.stderr(), 10, running.stderr)
        self.end(running)

    def test_fewer_flows(self):
        running = self.start("flow: {max_flows: 20000}\n", "--workers", 2)
        self.send(count=5000)
        namespaces.settle()
        self.assertGreaterEqual(self.active_flows(running), 5000)
        self.reload(running, "flow: {max_flows: 1000}\n")
        sensor.until(lambda: self.active_flows(running) <= 1000, 10, running.stderr)
        self.reload(running, "flow: {max_flows: 2000000}\n",
                    "warning: flow.max_flows has changed: it takes effect at the next start")
        self.end(running)
        self.assertEqual({record["reason"] for record in self.records()} - {"end"}, {"eviction"})

    def test_statistics(self):
        running = self.start("log: {level: info}\n")
        time.sleep(0.3)
        self.assertEqual(running.stdout(), "")
        self.reload(running, "log: {level: info}\nstats: {enabled: true, interval_ms: 100, top_flows: 1}\n",
                    "stats.enabled has changed")
        self.send(count=3, rounds=100)
        sensor.until(lambda: running.stdout().count(" Mbps  ") > 5, 10, running.stderr)
        self.assertIn("   1. udp 127.0.0.1:", running.stdout())
        self.assertNotIn("   2. udp", running.stdout())
        self.reload(running, "log: {level: info}\n", "stats.enabled has changed")
        time.sleep(0.3)
        before = running.stdout()
        time.sleep(0.5)
        self.assertEqual(running.stdout(), before)
        self.end(running)

    def test_names_and_networks(self):
        names = self.folder / "names.csv"
        names.write_text("127.0.0.1,here,,\n", encoding="utf-8")
        yaml = "log: {level: info}\nflow: {udp_timeout_secs: 1}\n"
        running = self.start(yaml)
        self.reload(running, f"{yaml}names: {{file: {names}}}\nnetworks: {{local: [127.0.0.0/8]}}\n",
                    "networks.local has changed")
        self.send(count=1)
        sensor.until(self.records, 10, running.stderr)
        record = self.records()[0]
        self.assertEqual((record["endpoint_a"]["name"], record["direction"]), ("here", "internal"))
        names.write_text("127.0.0.1,there,,\n", encoding="utf-8")
        time.sleep(3)
        self.send(count=1)
        sensor.until(lambda: len(self.records()) == 2, 10, running.stderr)
        self.assertEqual(self.records()[1]["endpoint_a"]["name"], "there")
        self.end(running)

    def test_a_wrong_file_changes_nothing(self):
        others = self.folder / "others"
        others.mkdir(mode=0o700)
        os.chown(others, 65534, 65534)
        running = self.start("flow: {udp_timeout_secs: 3600}\n")
        self.send(count=5)
        for yaml, said in (
                ("flow: {udp_timeout_secs: 1, udp_timeout: 1}\n", "netscope.yaml:1: .*udp_timeout"),
                ("flow: {udp_timeout_secs: 1}\nnames: {file: /none.csv}\n", "cannot read names.file /none.csv"),
                ("flow: {udp_timeout_secs: 1}\nnames: {file: /tmp}\n", "cannot read names.file /tmp: Is a directory"),
                ("flow: {udp_timeout_secs: 1}\nnetworks: {local: [x]}\n", "networks.local: 'x' is no CIDR"),
                ("flow: {udp_timeout_secs: 1}\noutput: {write_pcap: /none/x.pcap}\n", "/none/x.pcap cannot be written"),
                (f"flow: {{udp_timeout_secs: 1}}\noutput: {{write_pcap: {others}/x.pcap}}\n",
                 "others/x.pcap cannot be written: Permission denied .the right to files and folders of other users was "
                 "given up at the start: restart with this path"),
                (f"flow: {{udp_timeout_secs: 1}}\nnames: {{file: {others}/names.csv}}\n",
                 "cannot read names.file .*/names.csv: Permission denied .the right to files and folders of other "
                 "users was given up at the start: restart with this path"),
                (f"flow: {{udp_timeout_secs: 1}}\noutput: {{write_pcap: {self.file}}}\n", "would overwrite the input")):
            with self.subTest(yaml=yaml):
                self.reload(running, yaml, f"error: the settings stay as they are: .*{said}")
        time.sleep(2.5)
        self.assertEqual(self.records(), [], "the timeout is what it was")
        self.reload(running, "flow: {udp_timeout_secs: 1}\n")
        sensor.until(lambda: len(self.records()) == 5, 10, running.stderr)
        self.end(running)

    def test_a_refusal_leaves_files_alone(self):
        before = b"a recording of yesterday that matters\n"
        recording = self.folder / "yesterday.pcap"
        recording.write_bytes(before)
        yaml = "output: {write_pcap: %s}\ncapture: {interfaces: [%s]}\n"
        running = self.start("capture: {interfaces: [lo]}\n", captured=())
        self.reload(running, yaml % (recording, "lo, nowhere0"), "the settings stay as they are: .*nowhere0")
        self.assertEqual(recording.read_bytes(), before)
        self.reload(running, yaml % (recording, "lo"))
        sensor.until(lambda: recording.read_bytes() != before, 10, running.stderr)
        self.end(running)

    def test_of_two_outputs_one_cannot_be_opened(self):
        """Neither is begun: what the other one would have emptied is there, and nothing is made."""
        before = "of yesterday\n"
        (self.folder / "old.csv").write_text(before, encoding="utf-8")
        yaml = "output: {write_pcap: %s, expired_flows_csv: %s}\n"
        running = self.start("log: {level: info}\n")
        for name in ("old.csv", "new.csv"):
            self.reload(running, yaml % (self.folder, self.folder / name),
                        "the settings stay as they are: .*cannot be written: Is a directory")
        self.assertEqual((self.folder / "old.csv").read_text(encoding="utf-8"), before)
        self.assertFalse((self.folder / "new.csv").exists())
        self.end(running)

    def test_a_default_route_that_is_not_there(self):
        """As at a start: without one `auto` names nothing, and what was captured goes on."""
        running = self.start("capture: {interfaces: [lo], filter: udp}\n", captured=())
        for words in ("[auto]", "[]"):
            self.reload(running, "capture: {interfaces: %s, filter: udp}\n" % words,
                        "the settings stay as they are: .*there is no default route")
        self.send(count=10)
        namespaces.settle()
        self.assertEqual(self.end(running)["ledger"]["analysed"], 10)

    def test_a_file_that_changes_behind_links_is_read(self):
        """As the kubelet does it: the file is a link into ..data, which is a link that is swapped."""
        folder = self.folder / "config"
        for name, timeout in (("..first", 60), ("..second", 1)):
            (folder / name).mkdir(parents=True)
            (folder / name / "netscope.yaml").write_text(
                f"log: {{level: info}}\nflow: {{udp_timeout_secs: {timeout}}}\n", encoding="utf-8")
        (folder / "..data").symlink_to("..first")
        (folder / "netscope.yaml").symlink_to("..data/netscope.yaml")
        self.file = folder / "netscope.yaml"
        running = sensor.Running("--config", self.file, "--packets", "never", "--expired-flows-jsonl", self.ended,
                                 "--summary-json", self.summary, "-i", "lo", "udp", prefix=self.inside)
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        self.send(count=3)
        (folder / "..new").symlink_to("..second")
        (folder / "..new").replace(folder / "..data")
        sensor.until(lambda: "flow.udp_timeout_secs has changed" in running.stderr(), 20, running.stderr)
        sensor.until(lambda: len(self.records()) == 3, 20, running.stderr)
        self.assertEqual({record["reason"] for record in self.records()}, {"timeout"})
        self.end(running)

    def test_what_waits_for_a_start_is_told(self):
        running = self.start("")
        self.reload(running, "capture: {snaplen: 100}\npipeline: {workers: 2}\nlog: {level: info}\n",
                    "warning: pipeline.workers has changed: it takes effect at the next start")
        self.assertIn("capture.snaplen has changed: it takes effect at the next start", running.stderr())
        self.assertIn("info: log.level has changed", running.stderr(), "the level is in force at once")
        self.end(running)

    def test_packets_are_recorded_while_they_are_asked_for(self):
        first, second = self.folder / "first.pcap", self.folder / "second.pcap"
        yaml = "log: {level: info}\n"
        running = self.start(yaml)
        self.send(count=7)
        namespaces.settle()
        self.reload(running, f"{yaml}output: {{write_pcap: {first}}}\n", "output.write_pcap has changed")
        self.send(count=11)
        namespaces.settle()
        self.reload(running, f"{yaml}output: {{write_pcap: {second}}}\n", "output.write_pcap has changed")
        self.send(count=13)
        namespaces.settle()
        self.reload(running, yaml, "output.write_pcap has changed")
        self.send(count=17)
        namespaces.settle()
        self.assertEqual(len(capture_file.read_frames(first)), 11)
        self.assertEqual(len(capture_file.read_frames(second)), 13)
        self.assertEqual(self.end(running)["ledger"]["analysed"], 48)

    def test_records_are_streamed_while_they_are_asked_for(self):
        table = self.folder / "ended.csv"
        yaml = "log: {level: info}\nflow: {udp_timeout_secs: 1}\n"
        running = self.start(f"{yaml}output: {{expired_flows_csv: {table}}}\n")
        self.send(count=7)
        sensor.until(lambda: len(self.records()) == 7, 10, running.stderr)
        self.reload(running, yaml, "output.expired_flows_csv has changed")
        self.assertEqual(len(table.read_text(encoding="utf-8").splitlines()), 1 + 7)
        self.send(first=6000, count=5)
        sensor.until(lambda: len(self.records()) == 12, 10, running.stderr)
        self.reload(running, f"{yaml}output: {{expired_flows_csv: {table}.2}}\n", "output.expired_flows_csv has changed")
        self.send(first=7000, count=3)
        sensor.until(lambda: len(self.records()) == 15, 10, running.stderr)
        self.reload(running, f"{yaml}output: {{expired_flows_csv: '-'}}\n",
                    "the settings stay as they are: output.expired_flows_csv can have standard output from a start on")
        self.end(running)
        self.assertEqual(len(table.read_text(encoding="utf-8").splitlines()), 1 + 7)
        self.assertEqual(len((self.folder / "ended.csv.2").read_text(encoding="utf-8").splitlines()), 1 + 3)

    def test_an_output_turned_off_and_on_keeps_what_it_wrote(self):
        packets, other = self.folder / "first.pcap", self.folder / "other.pcap"
        yaml = "log: {level: info}\nflow: {udp_timeout_secs: 1}\n"
        output = yaml + "output: {expired_flows_csv: %s, write_pcap: %s}\n"
        table = self.folder / "ended.csv"
        running = self.start(output % (table, packets))
        self.send(count=7)
        sensor.until(lambda: len(self.records()) == 7, 10, running.stderr)
        self.reload(running, output % ("", other), "output.expired_flows_csv has changed")
        self.reload(running, output % (table, packets), "the settings stay as they are: output.write_pcap: this run has "
                                                        "written .*first.pcap already")
        self.assertEqual(len(capture_file.read_frames(packets)), 7)
        self.reload(running, output % (table, other), "output.expired_flows_csv has changed")
        self.send(first=6000, count=5)
        sensor.until(lambda: len(self.records()) == 12, 10, running.stderr)
        self.reload(running, output % (other, table), "the settings stay as they are: output.expired_flows_csv: this run has "
                                                      "written .*other.pcap already")
        packets.rename(self.folder / "moved.pcap")
        self.reload(running, output % (table, packets), "output.write_pcap has changed")
        self.end(running)
        self.assertEqual(len(table.read_text(encoding="utf-8").splitlines()), 1 + 7 + 5)
        self.assertEqual(len(capture_file.read_frames(self.folder / "moved.pcap")), 7)
        self.assertEqual(len(capture_file.read_frames(other)), 5)

    def test_rotation_and_reserve_of_open_files(self):
        yaml = ("log: {level: info}\nflow: {udp_timeout_secs: 1}\noutput: {write_pcap: %s, write_pcap_rotate_mb: 1, "
                "write_pcap_max_files: %d, min_free_mb: %d}\n")
        packets = self.folder / "ring.pcap"
        running = self.start(yaml % (packets, 3, 0))
        self.send(count=7)
        namespaces.settle()
        self.reload(running, yaml % (packets, 2, 0), "output.write_pcap_max_files has changed")
        self.send(count=5)
        namespaces.settle()
        for number, frames in ((1, 7), (2, 5)):
            self.assertEqual(len(capture_file.read_frames(self.folder / f"ring.00000{number}.pcap")), frames)
        self.reload(running, yaml % (packets, 2, 1048576), "output.min_free_mb has changed")
        sensor.until(lambda: "less than 1048576 MB are free" in running.stderr(), 5, running.stderr)
        self.reload(running, yaml % (packets, 2, 0), "output.min_free_mb has changed")
        self.end(running, sensor.OUTPUT)

    def test_a_stuck_reader_holds_no_change_up(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        yaml = "log: {level: info}\nflow: {udp_timeout_secs: 1}\n"
        on = f"{yaml}output: {{expired_flows_csv: {fifo}}}\n"
        running = self.start(yaml)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        fcntl.fcntl(reader, F_SETPIPE_SZ, 4096)
        self.reload(running, on, "output.expired_flows_csv has changed")
        self.send(count=200)
        sensor.until(lambda: len(self.records()) == 200, 10, running.stderr)
        self.reload(running, yaml, "output.expired_flows_csv has changed")
        self.assertRegex(running.stderr(), "fifo of output.expired_flows_csv is not written whole yet")
        self.active_flows(running)
        self.reload(running, on, "output.expired_flows_csv cannot change now: .*fifo, which it wrote before")
        self.end(running, sensor.OUTPUT)
        self.assertRegex(running.stderr(), "fifo is incomplete: nobody read it in time")

    def test_a_reader_that_is_not_there_holds_no_change_up(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        running = self.start("log: {level: info}\n")
        self.reload(running, f"log: {{level: info}}\noutput: {{expired_flows_csv: {fifo}, write_pcap: {fifo}.2}}\n",
                    "output.expired_flows_csv has changed")
        self.send(count=5)
        self.active_flows(running)
        self.reload(running, "log: {level: info}\n", "output.expired_flows_csv has changed")
        self.active_flows(running)
        self.end(running, sensor.OUTPUT)

    def test_the_filter(self):
        yaml = "log: {level: info}\ncapture: {interfaces: [lo], filter: '%s'}\n"
        running = self.start(yaml % "udp portrange 5000-5999", captured=())
        self.send(count=10)
        self.send(first=6000, count=10)
        namespaces.settle()
        self.reload(running, yaml % "udp portrange", "the settings stay as they are: .*filter")
        self.send(count=5)
        namespaces.settle()
        self.reload(running, yaml % "udp portrange 6000-6999", "capture.filter has changed")
        self.send(count=10)
        self.send(first=6000, count=3)
        namespaces.settle()
        summary = self.end(running)
        self.assertEqual(summary["ledger"]["analysed"], 10 + 5 + 3)
        self.assertEqual(summary["filter"], "udp portrange 6000-6999")

    def test_interfaces(self):
        words = ("ip", "link", "add", "quiet0", "type", "veth", "peer", "name", "quiet1")
        namespaces.command(*self.inside, *words)
        for name in ("quiet0", "quiet1"):
            namespaces.command(*self.inside, "ip", "link", "set", name, "up")
        yaml = "log: {level: info}\ncapture: {interfaces: [%s], filter: udp}\n"
        running = self.start(yaml % "quiet0", captured=())
        self.send(count=10)
        namespaces.settle()
        self.reload(running, yaml % "quiet0, lo", "capture.interfaces has changed")
        self.send(count=7)
        namespaces.settle()
        self.assertIn("capture.observation auto stays `all`, as the interfaces of the start wanted it", running.stderr())
        self.reload(running, yaml % "none0", "the settings stay as they are: .*none0")
        self.send(count=5)
        namespaces.settle()
        self.reload(running, yaml % "quiet0", "capture.interfaces has changed")
        self.assertIn("info: capture.interfaces names lo no more", running.stderr())
        self.send(count=3)
        namespaces.settle()
        self.assertEqual(self.end(running)["ledger"]["analysed"], 7 + 5)

    def test_interfaces_that_a_glob_leaves_out_are_told(self):
        for pair in (("pod0", "pod1"), ("pod2", "other")):
            namespaces.command(*self.inside, "ip", "link", "add", pair[0], "type", "veth", "peer", "name", pair[1])
            for name in pair:
                namespaces.command(*self.inside, "ip", "link", "set", name, "up")
        yaml = "log: {level: info}\ncapture: {interfaces: [lo, '%s'], exclude: [%s], filter: udp}\n"
        running = self.start(yaml % ("pod*", ""), captured=())
        self.reload(running, yaml % ("pod*", "pod1"), "info: pod1 is captured no more")
        self.reload(running, yaml % ("pod0", "pod1"), "info: pod2 is captured no more")
        self.assertIn("info: capture.interfaces names pod* no more", running.stderr())
        self.end(running)

    def test_interfaces_with_long_ticks(self):
        """What is removed is counted at the next tick; the answer does not wait for it, and what it says is so."""
        namespaces.command(*self.inside, "ip", "link", "add", "quiet0", "type", "veth", "peer", "name", "quiet1")
        for name in ("quiet0", "quiet1"):
            namespaces.command(*self.inside, "ip", "link", "set", name, "up")
        yaml = "log: {level: info}\npipeline: {tick_ms: 12000}\ncapture: {interfaces: [%s], filter: udp}\n"
        running = self.start(yaml % "quiet0, lo", captured=())
        began = time.monotonic()
        self.reload(running, yaml % "quiet0", "capture.interfaces has changed")
        self.reload(running, yaml % "quiet0, lo", "capture.interfaces has changed")
        self.assertLess(time.monotonic() - began, 12, "a tick was waited for")
        sensor.until(lambda: running.stderr().count("lo is captured") > 0, 20, running.stderr)
        self.send(count=10)
        namespaces.settle()
        self.assertEqual(self.end(running)["ledger"]["analysed"], 10)

    def test_many_changes_under_load(self):
        running = self.start("log: {level: info}\n", "--workers", 2)
        for number in range(20):
            self.send(count=200, rounds=2)
            changed = "flow.udp_timeout_secs" if number else "flow.timeout_secs"
            self.reload(running, f"log: {{level: info}}\nflow: {{timeout_secs: 70, udp_timeout_secs: {60 + number}}}\n",
                        f"{changed} has changed")
        self.assertEqual(self.end(running)["ledger"]["analysed"], 20 * 400)


if __name__ == "__main__":
    sensor.main()
