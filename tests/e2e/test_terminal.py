"""A reader of standard output or standard error that does not read: capture goes on, and the end comes in time."""

import fcntl
import os
import signal
import subprocess
import tempfile
import time

import namespaces
import sensor

F_SETPIPE_SZ = 1031

FLOWS = ("import socket, sys, time\n"
         "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
         "end = time.monotonic() + float(sys.argv[1])\n"
         "sent = 0\n"
         "while time.monotonic() < end:\n"
         "    for port in range(5000, 5100):\n"
         "        s.sendto(b'x' * 100, ('127.0.0.1', port))\n"
         "        sent += 1\n"
         "    time.sleep(0.02)\n"
         "print(sent)\n")


class Stuck:
    """A sensor whose standard output, or both streams, are a pipe that nobody reads."""

    def __init__(self, prefix, *arguments, errors_too=False):
        self.read_end, write_end = os.pipe()
        fcntl.fcntl(write_end, F_SETPIPE_SZ, 4096)
        self._stderr = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*prefix, sensor.BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=write_end,
            stderr=write_end if errors_too else self._stderr, env=sensor.environment())
        os.close(write_end)

    def stderr(self):
        return os.pread(self._stderr.fileno(), 1 << 20, 0).decode(errors="replace")

    def end(self):
        """One that waits for its reader does not end at all."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.read_end)
        self._stderr.close()


class TerminalTest(namespaces.NamespaceTest, sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.inside = self.make("terminal").inside("terminal")
        self.summary = self.folder / "summary.json"

    def start(self, *arguments, **options):
        running = Stuck(self.inside, "-i", "lo", "--summary-json", self.summary, *arguments, "udp", **options)
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        return running

    def send(self, seconds):
        result = namespaces.command(*self.inside, "python3", "-c", FLOWS, str(seconds))
        return int(result.stdout)

    def judge(self, running, sent):
        """Each packet crosses the loopback twice, and the sensor sees it once."""
        namespaces.settle()
        running.end()
        summary = sensor.load_json(self.summary)
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.assertEqual(summary["ledger"]["lost"], [])
        self.assertEqual(summary["ledger"]["analysed"], sent)

    def test_statistics_that_nobody_reads(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                running = self.start("--quiet", "--workers", workers, "--stats", "--stats-interval-ms", 50,
                                     "--top-flows", 100, "--report", "none", "-v")
                self.judge(running, self.send(4))
                self.assertEqual(running.process.returncode, sensor.DONE, running.stderr())
                self.assertRegex(running.stderr(), r"standard output was not read fast enough: \d+ texts")
                self.assertRegex(running.stderr(), r"standard output was not read in time: its last \d+ bytes")

    def test_packet_lines_that_nobody_reads(self):
        running = self.start("--packets", "always", "--report", "none")
        self.judge(running, self.send(2))
        self.assertEqual(running.process.returncode, sensor.OUTPUT, running.stderr())
        self.assertRegex(running.stderr(), "standard output was not read in time")

    def test_a_summary_that_nobody_reads_is_told_once(self):
        running = self.start("--quiet", "--stats", "--stats-interval-ms", 50, "--top-flows", 100)
        self.judge(running, self.send(4))
        self.assertEqual(running.process.returncode, sensor.OUTPUT, running.stderr())
        self.assertEqual(running.stderr().count("standard output was not read in time"), 1, running.stderr())

    def test_everything_that_nobody_reads(self):
        running = self.start("--packets", "always", "--stats", "--stats-interval-ms", 50, "--top-flows", 100,
                             errors_too=True)
        for _ in range(20):
            running.process.send_signal(signal.SIGUSR1)
            time.sleep(0.02)
        self.judge(running, self.send(2))
        self.assertEqual(running.process.returncode, sensor.OUTPUT)

    def test_lines_of_packets_and_statistics_keep_their_order(self):
        with sensor.Running("-i", "lo", "--packets", "always", "--stats", "--stats-interval-ms", 50, "udp",
                            prefix=self.inside) as running:
            namespaces.await_capture(running)
            self.send(1)
            namespaces.settle()
            self.assertEqual(running.end(), sensor.DONE, running.stderr())
            lines = running.stdout().splitlines()
        numbers = [int(line.split()[0]) for line in lines if " udp len " in line]
        self.assertEqual(numbers, sorted(numbers))
        figures = [index for index, line in enumerate(lines) if " Mbps  " in line]
        self.assertGreater(len(figures), 10)
        self.assertTrue(any(" udp len " in line for line in lines[figures[0]:figures[-1]]), "they alternate")


if __name__ == "__main__":
    sensor.main()
