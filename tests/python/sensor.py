"""Runs the netscope binary for tests: one place for its path, its environment and what a crash looks like."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "tests" / "captures"
SHARED_CAPTURES = ROOT.parent / "shared" / "captures"
BINARY = os.environ.get("NETSCOPE_BINARY", str(ROOT / "build" / "src" / "app" / "netscope"))

# Exit codes of the process: docs/architecture.md.
DONE, USAGE, UNREADABLE, TRUNCATED, LEDGER, NO_PERMISSION, NO_INTERFACE, OUTPUT = 0, 2, 3, 4, 5, 6, 7, 8

SKIPPED = 77
_FINDING = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed)")


def environment(settings=None):
    """Without the caller's NETSCOPE_ settings, with those of the test; a sanitizer's finding has a code of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NETSCOPE_")}
    clean["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=1:abort_on_error=0"
    clean["UBSAN_OPTIONS"] = "print_stacktrace=1:exitcode=99"
    # gRPC's core is not instrumented: what it does by itself, with locks of its own, says nothing.
    clean["TSAN_OPTIONS"] = "exitcode=99:halt_on_error=1:ignore_noninstrumented_modules=1"
    clean["TZ"] = "UTC"
    return clean | (settings or {})


def run(*arguments, stdin=None, timeout=120, cwd=None, prefix=(), settings=None):
    """Runs to the end; `prefix` is a command in front of it (ip netns exec, setpriv). Bytes out are text."""
    command = [*prefix, BINARY, *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd=cwd,
        env=environment(settings), check=False)


def finding(stderr):
    """The line in which a sanitizer or an assert speaks, or None."""
    text = stderr.decode(errors="replace") if isinstance(stderr, bytes) else stderr
    for line in text.splitlines():
        if _FINDING.search(line):
            return line
    return None


def load_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def ledger_missing(summary):
    """Packets received that are in no bucket; 0 = the ledger is closed."""
    ledger = summary["ledger"]
    lost = sum(bucket["packets"] for bucket in ledger["lost"])
    return ledger["received"] - ledger["analysed"] - ledger["duplicate"] - lost


class Running:
    """A sensor that runs while the test acts. Its stderr goes to a file; the end is by signal or its own."""

    def __init__(self, *arguments, prefix=(), cwd=None, stdin=subprocess.DEVNULL):
        self._stderr = tempfile.TemporaryFile()
        self._stdout = tempfile.TemporaryFile()
        command = [*prefix, BINARY, *map(str, arguments)]
        self.process = subprocess.Popen(
            command, stdin=stdin, stdout=self._stdout, stderr=self._stderr, cwd=cwd,
            env=environment())

    def stderr(self):
        return self._text(self._stderr)

    def stdout(self):
        return self._text(self._stdout)

    @staticmethod
    def _text(file):
        return os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace")

    def end(self, number=signal.SIGINT, timeout=60):
        """Sends the signal if it still runs; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout)

    def await_signals(self, number, kind="SigCgt"):
        """Until it catches the signal, or with kind="SigBlk" blocks it: from then on it does not kill."""
        def ready():
            try:
                status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
            except OSError:
                return False
            mask = re.search(rf"^{kind}:\s*([0-9a-f]+)$", status, re.MULTILINE)
            return mask is not None and int(mask[1], 16) >> (number - 1) & 1 == 1

        until(ready, 20, lambda: f"is not ready for signal {number}: {self.stderr()}")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self._stderr.close()
        self._stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def until(condition, timeout, complaint):
    """Polls until the condition holds; fails with complaint() after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(complaint())
        time.sleep(0.02)


class SensorTest(unittest.TestCase):
    """A test with a folder of its own and an assertion that says what the sensor said."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netscope-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def check(self, result, code=DONE, said=None):
        stderr = result.stderr.decode(errors="replace")
        self.assertIsNone(finding(stderr), stderr)
        self.assertEqual(result.returncode, code, f"{result.args}\n{stderr}")
        if said is not None:
            self.assertRegex(stderr, said)
        return result

    def end_closed(self, running, path, number=signal.SIGINT, code=DONE):
        """Ends a sensor that runs; returns its summary from the path, whose ledger is closed."""
        self.assertEqual(running.end(number), code, running.stderr())
        self.assertIsNone(finding(running.stderr()), running.stderr())
        summary = load_json(path)
        self.assertEqual(ledger_missing(summary), 0)
        return summary

    def summarise(self, *arguments, code=DONE, **options):
        """Runs with a summary file and returns it."""
        path = self.folder / "summary.json"
        self.check(run(*arguments, "--report", "none", "--summary-json", path, **options), code)
        return load_json(path)


def main():
    """Runs the tests of the calling module; all skipped is exit 77, which ctest shows as skipped."""
    if not os.access(BINARY, os.X_OK):
        print(f"no binary at {BINARY}: set NETSCOPE_BINARY")
        sys.exit(1)
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    for _, reason in result.skipped:
        print(f"SKIPPED: {reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    began = sum(isinstance(test, unittest.TestCase) for test, _ in result.skipped)  # the others: whole classes and modules
    sys.exit(SKIPPED if result.skipped and began == result.testsRun else 0)
