"""SIGKILL at any moment leaves every streamed file readable up to its last whole record."""

import csv
import json
import random
import signal
import subprocess
import threading
import time

import capture_file
import sensor

FRAMES, KILLS = 40_000, 10
START_NS, STEP_NS = 1_600_000_000 * 1_000_000_000, 1_000_000
PIECE_BYTES, PAUSE_SECONDS = 64 * 1024, 0.01


def frames():
    """A flow each, of different lengths; all of them end within the run but the last ones."""
    for index in range(FRAMES):
        client = f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}"
        yield START_NS + index * STEP_NS, capture_file.udp_frame(client, "192.0.2.1", 4000, 53, bytes(index % 200))


class KillTest(sensor.SensorTest):
    NAMES = ("ended.jsonl", "ended.csv", "copy.pcap")

    def setUp(self):
        super().setUp()
        self.source = self.folder / "source.pcap"
        capture_file.write_pcap(self.source, frames())
        self.content = self.source.read_bytes()

    def arguments(self, name, workers):
        folder = self.folder / name
        folder.mkdir()
        self.paths = [folder / file for file in self.NAMES]
        return ("-r", "-", "--report", "none", "--workers", workers, "--udp-timeout-s", 1,
                "--expired-flows-jsonl", self.paths[0], "--expired-flows-csv", self.paths[1], "-w", self.paths[2])

    def feed(self, running):
        try:
            for offset in range(0, len(self.content), PIECE_BYTES):
                running.process.stdin.write(self.content[offset : offset + PIECE_BYTES])
                running.process.stdin.flush()
                time.sleep(PAUSE_SECONDS)
            running.process.stdin.close()
        except BrokenPipeError:
            pass

    def kill_after(self, name, workers, seconds):
        running = sensor.Running(*self.arguments(name, workers), stdin=subprocess.PIPE)
        self.addCleanup(running.close)
        writer = threading.Thread(target=self.feed, args=(running,))
        writer.start()
        running.await_signals(signal.SIGINT)  # the run begins
        time.sleep(seconds)
        running.process.kill()
        running.process.wait()
        writer.join()
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())

    def test_every_file_is_a_beginning_of_the_whole_one(self):
        self.check(sensor.run(*self.arguments("whole", 1), stdin=self.content))
        whole = [path.read_bytes() for path in self.paths]
        seed = random.randrange(1 << 32)
        moments, written = random.Random(seed), [0] * len(whole)
        for number in range(KILLS):
            seconds, workers = moments.uniform(0, 1), (1, 3)[number % 2]
            with self.subTest(seed=seed, number=number, workers=workers, seconds=seconds):
                self.kill_after(str(number), workers, seconds)
                for index, (path, expected) in enumerate(zip(self.paths, whole)):
                    content = path.read_bytes()
                    self.assertTrue(expected.startswith(content), f"{path.name} is something else")
                    written[index] += len(content)
                self.read_back()
        print(f"FIGURE: bytes of {self.NAMES} after {KILLS} kills: {written}")
        self.assertGreater(min(written), 1000, "no kill met a run that had written something")

    def read_back(self):
        """As whoever finds the files would; the last line may be cut."""
        lines, rows = (self.whole_lines(path) for path in self.paths[:2])
        for line in lines:
            self.assertEqual(json.loads(line)["packets_total"], 1)
        widths = {len(row) for row in csv.reader(rows)}
        self.assertLessEqual(len(widths), 1, widths)
        if self.paths[2].stat().st_size >= 24:
            copied = capture_file.read_frames(self.paths[2])
            sent = capture_file.read_frames(self.source)
            self.assertEqual(copied, sent[: len(copied)])

    @staticmethod
    def whole_lines(path):
        return path.read_text(encoding="utf-8").split("\n")[:-1]


if __name__ == "__main__":
    sensor.main()
