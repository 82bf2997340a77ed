"""SIGUSR1 says on stderr how the run stands, and changes nothing: no packet, no byte of an output, no exit code."""

import os
import re
import signal
import subprocess
import threading
import time

import namespaces
import replay
import sensor

BROWSING = sensor.CAPTURES / "browsing.pcap"
EVERY_SECONDS = 0.05
NOT_RUNNING = "  nothing is captured: the run has not begun, or it has ended"

TOTALS = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  (\d+) packets received, (\d+) analysed, (\d+) lost; "
                    r"(\d+) flows active of (\d+)|no totals yet)")
END = r"\S+(?: \([^)]+\))?"  # an endpoint, and what it is called
FLOW = re.compile(rf" {{1,2}}( \d|\d\d)\. \S+ {END} - {END}  (\d+) bytes  (\d+) packets(?:  [a-z_]+)?")


class Signals:
    """SIGUSR1 to a sensor every 50 ms until stopped."""

    def __init__(self, running):
        self.sent = 0
        self._running, self._ending = running, threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self):
        while not self._ending.wait(EVERY_SECONDS) and self._running.process.poll() is None:
            self._running.process.send_signal(signal.SIGUSR1)
            self.sent += 1

    def stop(self):
        self._ending.set()
        self._thread.join()


class StatusReader:
    """What SIGUSR1 said, told apart from what else is on stderr."""

    def __init__(self, test, stderr):
        self.totals, self.flow_counts, self.other = [], [], []
        self._test = test
        for line in stderr.splitlines():
            self._take(line)

    def _take(self, line):
        totals, flow = TOTALS.fullmatch(line), FLOW.fullmatch(line)
        if totals:
            self.totals.append([int(figure) for figure in totals.groups(0)])
            self.flow_counts.append(0)
        elif flow:
            self._take_flow(line, int(flow[1]), int(flow[2]))
        elif line != NOT_RUNNING:
            self.other.append(line)

    def _take_flow(self, line, number, size):
        self._test.assertTrue(self.totals, f"flows without totals: {line}")
        self.flow_counts[-1] += 1
        self._test.assertEqual(number, self.flow_counts[-1], line)
        if number > 1:
            self._test.assertLessEqual(size, self._last_size, "the most bytes first")
        self._last_size = size

    def judge(self):
        for received, analysed, lost, active, created in self.totals:
            self._test.assertEqual(received, analysed + lost)
            self._test.assertLessEqual(active, created)
        self._test.assertEqual(self.totals, sorted(self.totals, key=lambda row: (row[0], row[4])), "time goes on")
        self._test.assertLessEqual(max(self.flow_counts, default=0), 10)


class FileTest(sensor.SensorTest):
    """A file that comes slowly through a pipe."""

    PIECE_BYTES, PAUSE_SECONDS = 3001, 0.015

    def setUp(self):
        super().setUp()
        self.content = BROWSING.read_bytes()

    def start(self, workers, *arguments):
        self.paths = {name: self.folder / name for name in ("flows.json", "ended.jsonl", "summary.json")}
        running = sensor.Running(
            "-r", "-", "--report", "none", "--workers", workers, "--export-json", self.paths["flows.json"],
            "--expired-flows-jsonl", self.paths["ended.jsonl"], "--summary-json", self.paths["summary.json"],
            *arguments, stdin=subprocess.PIPE)
        self.addCleanup(running.close)
        return running

    def feed(self, running):
        for offset in range(0, len(self.content), self.PIECE_BYTES):
            running.process.stdin.write(self.content[offset : offset + self.PIECE_BYTES])
            running.process.stdin.flush()
            time.sleep(self.PAUSE_SECONDS)
        running.process.stdin.close()

    def outputs(self):
        """All that must not depend on signals."""
        return (self.paths["flows.json"].read_bytes(), self.paths["ended.jsonl"].read_bytes(),
                sensor.load_json(self.paths["summary.json"])["ledger"])

    def run_undisturbed(self, workers):
        running = self.start(workers)
        running.process.communicate(self.content, timeout=60)
        self.assertEqual(running.process.returncode, sensor.DONE, running.stderr())
        return self.outputs()

    def compare(self, workers):
        expected = self.run_undisturbed(workers)
        running = self.start(workers)
        running.await_signals(signal.SIGUSR1, "SigBlk")
        signals = Signals(running)
        self.feed(running)
        self.assertEqual(running.process.wait(60), sensor.DONE, running.stderr())
        signals.stop()
        self.assertEqual(self.outputs(), expected)
        reader = StatusReader(self, running.stderr())
        reader.judge()
        self.assertEqual(reader.other, [])
        self.assertGreater(len(reader.totals), signals.sent // 3)
        self.assertEqual(max(reader.flow_counts), 10)
        self.assertGreater(reader.totals[-1][0], 300)

    def test_with_one_worker(self):
        self.compare(1)

    def test_with_three_workers(self):
        self.compare(3)

    def test_a_pipe_that_stalls_is_told_of(self):
        for workers in (1, 3):
            with self.subTest(workers=workers):
                running = self.start(workers)
                running.process.stdin.write(self.content[:200_000])
                running.process.stdin.flush()
                running.await_signals(signal.SIGINT)  # the run begins
                time.sleep(0.3)
                for answers in range(1, 6):
                    running.process.send_signal(signal.SIGUSR1)
                    sensor.until(lambda: len(StatusReader(self, running.stderr()).totals) == answers, 10,
                                 lambda: f"no answer {answers}: {running.stderr()}")
                self.assertEqual(running.end(), sensor.DONE)

    def test_before_the_first_packet_and_while_settings_are_read(self):
        settings = self.folder / "settings.yaml"
        os.mkfifo(settings)
        running = self.start(1, "--config", settings)
        running.await_signals(signal.SIGUSR1, "SigBlk")
        running.process.send_signal(signal.SIGUSR1)
        time.sleep(0.1)
        self.assertIsNone(running.process.poll(), "killed")
        settings.write_text("{}\n", encoding="utf-8")
        for _ in range(5):
            running.process.send_signal(signal.SIGUSR1)
            time.sleep(0.05)
        running.process.communicate(self.content, timeout=60)
        self.assertEqual(running.process.returncode, sensor.DONE, running.stderr())
        self.assertRegex(running.stderr(), TOTALS)

    def test_after_the_end(self):
        """The export waits for whoever reads standard output; the run is over."""
        reader, writer = os.pipe()
        arguments = [sensor.BINARY, "-r", BROWSING, "--report", "none", "--export-json", "-"]
        expected = self.check(sensor.run(*arguments[1:])).stdout
        self.assertGreater(len(expected), 1 << 16, "more than a pipe holds")
        with subprocess.Popen(arguments, stdout=writer, stderr=subprocess.PIPE, env=sensor.environment()) as process:
            os.close(writer)
            sensor.until(lambda: namespaces.all_sleep(process) or process.poll() is not None, 20,
                         lambda: "does not wait for its reader")
            for _ in range(5):
                process.send_signal(signal.SIGUSR1)
                time.sleep(0.05)
            with open(reader, "rb") as output:
                self.assertEqual(output.read(), expected)
            stderr = process.stderr.read()
        self.assertEqual(process.returncode, sensor.DONE, stderr)


class LiveTest(replay.ReplayTest):
    """At 50,000 packets a second."""

    def start(self, workers):
        running = sensor.Running(
            "-i", "in0", "--quiet", "--workers", workers, "--summary-json", self.folder / "summary.json",
            "--export-json", self.folder / "flows.json", "udp and port 53", prefix=self.net.inside("sensor"))
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        return running

    def disturb(self, workers):
        running = self.start(workers)
        signals = Signals(running)
        self.replay()
        namespaces.settle()
        signals.stop()
        self.assertEqual(running.end(), sensor.DONE, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
        summary = sensor.load_json(self.folder / "summary.json")
        ledger = summary["ledger"]
        print(f"FIGURE: {signals.sent} signals, received {ledger['received']}, analysed {ledger['analysed']}")
        self.assertEqual(ledger["analysed"], replay.PACKETS, ledger)
        self.assertEqual(ledger["received"], replay.PACKETS)
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.judge_flows(sensor.load_json(self.folder / "flows.json"))
        self.judge_status(running, signals)

    def judge_status(self, running, signals):
        reader = StatusReader(self, running.stderr())
        reader.judge()
        self.assertEqual(reader.other, [])
        self.assertGreater(len(reader.totals), signals.sent // 3)
        self.assertEqual(reader.flow_counts[-1], 10)
        self.assertEqual(reader.totals[-1][:3], [replay.PACKETS, replay.PACKETS, 0])

    def test_with_one_worker(self):
        self.disturb(1)

    def test_with_three_workers(self):
        self.disturb(3)


if __name__ == "__main__":
    sensor.main()
