"""Ctrl-C, SIGTERM, --count and the end of a pipe are one path: exit 0, every file whole."""

import contextlib
import fcntl
import os
import pty
import random
import signal
import subprocess
import termios
import threading
import time
from pathlib import Path

import capture_file
import namespaces
import sensor

RANDOM_STOPS = 20


class Traffic:
    """UDP over the loopback of a namespace until stopped; the caller's sensor sees each packet once."""

    PROGRAM = ("import socket, time\n"
               "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
               "while True:\n"
               "    for port in range(5000, 5020):\n"
               "        s.sendto(b'x' * 100, ('127.0.0.1', port))\n"
               "    time.sleep(0.002)\n")

    def __init__(self, prefix):
        self._process = subprocess.Popen([*prefix, "python3", "-c", self.PROGRAM])

    def stop(self):
        self._process.kill()
        self._process.wait()


class LiveEndTest(namespaces.NamespaceTest, sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.inside = self.make("only").inside("only")
        traffic = Traffic(self.inside)
        self.addCleanup(traffic.stop)
        self.paths = {name: self.folder / name for name in ("copy.pcap", "flows.json", "flows.csv", "ended.jsonl",
                                                            "summary.json")}

    def start(self, *arguments):
        paths = self.paths
        running = sensor.Running(
            "-i", "lo", "--quiet", "-w", paths["copy.pcap"], "--export-json", paths["flows.json"],
            "--export-csv", paths["flows.csv"], "--expired-flows-jsonl", paths["ended.jsonl"],
            "--summary-json", paths["summary.json"], *arguments, "udp", prefix=self.inside)
        self.addCleanup(running.close)
        return running

    def judge(self, running, least=1):
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
        summary = sensor.load_json(self.paths["summary.json"])
        flows = sensor.load_json(self.paths["flows.json"])
        self.assertEqual(sensor.ledger_missing(summary), 0)
        analysed = summary["ledger"]["analysed"]
        self.assertGreaterEqual(analysed, least)
        self.assertEqual(len(capture_file.read_frames(self.paths["copy.pcap"])), analysed)
        self.assertEqual(sum(flow["packets_total"] for flow in flows), analysed)
        self.assertEqual(len(self.paths["flows.csv"].read_text(encoding="utf-8").splitlines()), len(flows) + 1)
        self.assertEqual(len(self.paths["ended.jsonl"].read_text(encoding="utf-8").splitlines()), len(flows))
        return summary

    def end_by(self, number):
        running = self.start()
        namespaces.await_capture(running)
        time.sleep(0.5)
        self.assertEqual(running.end(number), sensor.DONE, running.stderr())
        self.judge(running)

    def test_ctrl_c(self):
        self.end_by(signal.SIGINT)

    def test_sigterm(self):
        self.end_by(signal.SIGTERM)

    def test_count(self):
        running = self.start("--count", "1234")
        self.assertEqual(running.process.wait(30), sensor.DONE, running.stderr())
        self.assertEqual(self.judge(running)["ledger"]["analysed"], 1234)

    def test_without_packets_the_summary_says_only_what_is_true(self):
        """Also of the moment in which capture begins, before the filter is set: hence several starts."""
        for _ in range(5):
            self.capture_nothing()

    def capture_nothing(self):
        running = sensor.Running("-i", "lo", "-w", "/dev/full", "tcp port 1", prefix=self.inside)
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        self.assertEqual(running.end(), sensor.OUTPUT, running.stderr())
        self.assertEqual(running.stderr(), "netscope: error: /dev/full is incomplete: No space left on device\n")
        self.assertNotIn("protocols", running.stdout())
        self.assertRegex(running.stdout(), "(?m)^0 packets")

    def test_hangup_reopens_every_file_that_was_moved(self):
        running = self.start()
        namespaces.await_capture(running)
        time.sleep(0.3)
        copy, moved = self.paths["copy.pcap"], self.folder / "moved.pcap"
        copy.rename(moved)
        running.process.send_signal(signal.SIGHUP)
        sensor.until(copy.exists, 10, lambda: "no new capture file after SIGHUP")
        time.sleep(0.3)
        self.assertEqual(running.end(), sensor.DONE, running.stderr())
        written = [len(capture_file.read_frames(path)) for path in (moved, copy)]
        summary = sensor.load_json(self.paths["summary.json"])
        self.assertGreater(min(written), 0)
        self.assertEqual(sum(written), summary["ledger"]["analysed"])

    def test_a_second_signal_at_once_does_not_cut_the_files(self):
        running = self.start()
        namespaces.await_capture(running)
        time.sleep(0.3)
        running.process.send_signal(signal.SIGTERM)
        self.assertEqual(running.end(signal.SIGTERM), sensor.DONE, running.stderr())
        self.judge(running)


    def test_ctrl_c_at_random_moments(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        for number in range(RANDOM_STOPS):
            seconds = moments.uniform(0, 0.2)
            with self.subTest(seed=seed, number=number, seconds=seconds):
                running = self.start("--workers", 3)
                running.await_signals(signal.SIGINT)
                time.sleep(seconds)
                self.assertEqual(running.end(), sensor.DONE, running.stderr())
                self.judge(running, least=0)


class StuckEndTest(namespaces.NamespaceTest, sensor.SensorTest):
    """Outputs that nobody reads do not hold up the end, nor harm the others."""

    def setUp(self):
        super().setUp()
        self.summary, self.flows = self.folder / "summary.json", self.folder / "flows.json"
        self.fifos = {name: self.folder / name for name in ("never", "gone", "stuck")}
        for path in self.fifos.values():
            os.mkfifo(path)

    def start(self, *arguments, stdout=subprocess.DEVNULL, prefix=(), export=True):
        if export:
            arguments += ("--export-json", self.flows)
        errors = open(self.folder / "stderr", "w+", encoding="utf-8")
        self.addCleanup(errors.close)
        process = subprocess.Popen(
            [*prefix, sensor.BINARY, *map(str, arguments), "--summary-json", str(self.summary)], stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors, env=sensor.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def stderr(self):
        return (self.folder / "stderr").read_text(encoding="utf-8")

    def await_catching(self, process):
        def ready():
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            return int(status.partition("SigCgt:")[2].split()[0], 16) >> (signal.SIGTERM - 1) & 1
        sensor.until(ready, 20, self.stderr)

    def end(self, process):
        """Ends it; returns the summary, after a judgement of what every end has."""
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), sensor.OUTPUT, self.stderr())
        self.assertIsNone(sensor.finding(self.stderr()), self.stderr())
        summary = sensor.load_json(self.summary)
        self.assertEqual(sensor.ledger_missing(summary), 0)
        return summary

    def leave(self, path):
        """A reader that comes, reads a little and goes."""
        with open(path, "rb") as reader:
            reader.read(1)

    def test_every_output_of_a_live_run(self):
        inside = self.make("only").inside("only")
        traffic = Traffic(inside)
        self.addCleanup(traffic.stop)
        stuck = os.open(self.fifos["stuck"], os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, stuck)
        leaving = threading.Thread(target=self.leave, args=(self.fifos["gone"],))
        leaving.start()
        unread, stdout = os.pipe()
        self.addCleanup(os.close, unread)
        self.addCleanup(os.close, stdout)
        process = self.start(
            "-i", "lo", "--stats", "--stats-interval-ms", 100, "--hex", "-w", self.fifos["stuck"],
            "--udp-timeout", 1, "--expired-flows-jsonl", self.fifos["never"], "--expired-flows-csv", self.fifos["gone"],
            "--export-csv", self.folder / "flows.csv", "udp", stdout=stdout, prefix=inside)
        self.await_catching(process)
        leaving.join(20)
        time.sleep(3)
        summary = self.end(process)
        self.assertGreater(summary["ledger"]["analysed"], 1000)
        self.assertEqual(sum(flow["packets_total"] for flow in sensor.load_json(self.flows)),
                         summary["ledger"]["analysed"])
        self.assertIn("stuck is incomplete: nobody read it in time", self.stderr())
        self.assertIn("never is incomplete", self.stderr())

    def test_every_output_of_a_file(self):
        source = sensor.CAPTURES / "browsing.pcap"
        for name, flag in (("never", "-w"), ("never", "--export-csv"), ("never", "--expired-flows-csv")):
            with self.subTest(flag=flag):
                process = self.start("-r", source, flag, self.fifos[name])
                self.await_catching(process)
                time.sleep(0.5)
                summary = self.end(process)
                self.assertEqual(summary["packets"], 730)
                self.assertGreater(len(sensor.load_json(self.flows)), 40)
                self.assertIn("never is incomplete: nobody read it in time", self.stderr())
                self.assertIn("never is incomplete", str(summary))

    def test_a_standard_output_that_is_full_from_the_start(self):
        for flags in (("-w", "-"), ("--export-json", "-"), ("--expired-flows-csv", "-")):
            with self.subTest(flags=flags):
                unread, stdout = os.pipe()
                self.addCleanup(os.close, unread)
                self.addCleanup(os.close, stdout)
                os.set_blocking(stdout, False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        os.write(stdout, bytes(4096))
                os.set_blocking(stdout, True)
                process = self.start("-r", sensor.CAPTURES / "browsing.pcap", "--report", "none", *flags, stdout=stdout,
                                     export=flags[0] != "--export-json")
                self.await_catching(process)
                time.sleep(0.5)
                self.assertEqual(self.end(process)["packets"], 730)
                self.assertIn("standard output is incomplete: nobody read it in time", self.stderr())

    def test_a_late_reader_gets_all(self):
        source = sensor.CAPTURES / "browsing.pcap"
        process = self.start("-r", source, "-w", self.fifos["never"])
        time.sleep(0.5)
        copy = self.folder / "copy.pcap"
        copy.write_bytes(self.fifos["never"].read_bytes())
        self.assertEqual(process.wait(20), sensor.DONE, self.stderr())
        self.assertEqual(capture_file.read_frames(copy), capture_file.read_frames(source))

    def test_each_reader_of_a_fifo_gets_a_header(self):
        """Also one that comes when the first has gone in a lull, so that no write has failed."""
        inside = self.make("only").inside("only")
        process = self.start("-i", "lo", "--quiet", "-w", self.fifos["never"], "udp", prefix=inside)
        self.await_catching(process)
        for number in range(2):
            with self.subTest(reader=number), open(self.fifos["never"], "rb") as reader:
                time.sleep(1.5)  # a writer that tries again has found it
                traffic = Traffic(inside)
                try:
                    self.assertEqual(reader.read(4), b"\x4d\x3c\xb2\xa1")
                finally:
                    traffic.stop()
                time.sleep(0.5)
                os.set_blocking(reader.fileno(), False)
                while reader.read(1 << 16):
                    pass
            time.sleep(1.5)  # and a reader that left is noticed
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), sensor.DONE, self.stderr())

    def test_a_summary_that_nobody_reads(self):
        self.summary = self.fifos["never"]
        process = self.start("-r", sensor.CAPTURES / "browsing.pcap")
        self.await_catching(process)
        sensor.until(lambda: self.flows.exists() and self.flows.stat().st_size > 1000, 20, self.stderr)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), sensor.OUTPUT, self.stderr())
        self.assertGreater(len(sensor.load_json(self.flows)), 40)


class HangupTest(namespaces.NamespaceTest, sensor.SensorTest):
    """A terminal that goes away ends the run in its foreground, in order."""

    def hang_up(self, prefix):
        summary = self.folder / "summary.json"
        master, slave = pty.openpty()
        inside = self.make("only").inside("only")
        command = [*inside, sensor.BINARY, "-i", "lo", "--stats", "--summary-json", str(summary), "udp"]

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen([*prefix, *command], stdin=slave, stdout=slave, stderr=slave,
                                   preexec_fn=take_terminal, env=sensor.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(slave)
        said = b""
        while b"pps" not in said:  # a line of statistics: it runs
            said += os.read(master, 4096)
        os.close(master)
        sensor.until(lambda: summary.exists() and summary.stat().st_size > 0, 5, lambda: "still runs")
        code = process.wait(5)
        self.assertEqual(sensor.ledger_missing(sensor.load_json(summary)), 0)
        return code

    def test_alone(self):
        self.assertEqual(self.hang_up(()), sensor.DONE)

    def test_under_a_shell(self):
        self.hang_up(("sh", "-c", '"$@"; true', "sh"))


class PipeEndTest(sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.summary = self.folder / "summary.json"
        self.pipe = self.folder / "pipe"
        os.mkfifo(self.pipe)
        self.content = (sensor.CAPTURES / "browsing.pcap").read_bytes()

    def start(self, *arguments):
        running = sensor.Running("-r", self.pipe, "--report", "none", "--summary-json", self.summary, *arguments)
        self.addCleanup(running.close)
        return running

    def test_a_writer_that_stalls_and_a_signal(self):
        running = self.start()
        with open(self.pipe, "wb") as writer:
            writer.write(self.content)
            writer.flush()
            time.sleep(0.5)
            self.assertEqual(running.end(signal.SIGINT, 20), sensor.DONE, running.stderr())
        self.assertEqual(sensor.load_json(self.summary)["packets"], 730)

    def test_ctrl_c_at_random_moments(self):
        """Whatever was read until then is in the files; the rest of the input was not read, which is told."""
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        for number in range(RANDOM_STOPS):
            seconds = moments.uniform(0, 0.15)
            with self.subTest(seed=seed, number=number, seconds=seconds):
                self.stop_after(seconds)

    def stop_after(self, seconds):
        copy, export = self.folder / "copy.pcap", self.folder / "flows.json"
        running = self.start("--workers", 3, "-w", copy, "--export-json", export)
        writer = threading.Thread(target=self.dribble)
        writer.start()
        running.await_signals(signal.SIGINT)
        time.sleep(seconds)
        self.assertEqual(running.end(), sensor.DONE, running.stderr())
        writer.join(20)
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
        self.assertRegex(running.stderr(), "stopped by a signal: the rest of the input was not read")
        summary = sensor.load_json(self.summary)
        frames = capture_file.read_frames(copy)
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.assertEqual(summary["ledger"]["analysed"], summary["packets"])
        self.assertEqual(frames, capture_file.read_frames(sensor.CAPTURES / "browsing.pcap")[: summary["packets"]])
        self.assertLessEqual(sum(flow["packets_total"] for flow in sensor.load_json(export)), summary["packets"])

    def test_a_slow_writer_is_waited_for(self):
        running = self.start()
        writer = threading.Thread(target=self.dribble)
        writer.start()
        writer.join(30)
        self.assertEqual(running.process.wait(20), sensor.DONE, running.stderr())
        self.assertEqual(sensor.load_json(self.summary)["packets"], 730)

    def dribble(self):
        try:
            with open(self.pipe, "wb", buffering=0) as writer:
                for offset in range(0, len(self.content), 7001):
                    writer.write(self.content[offset : offset + 7001])
                    time.sleep(0.005)
        except BrokenPipeError:
            pass  # a sensor that was stopped reads no more


if __name__ == "__main__":
    sensor.main()
