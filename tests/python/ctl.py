"""Runs netscopectl for tests."""

import json
import os
import subprocess
import tempfile

import sensor

BINARY = os.environ.get("NETSCOPECTL_BINARY", str(sensor.ROOT / "build" / "src" / "ctl" / "netscopectl"))

# Its exit codes.
DONE, REFUSED, USAGE, UNREACHABLE, PARTLY, OUTPUT = range(6)


def run(*arguments, stdin=None, timeout=60, settings=None, prefix=()):
    """Runs to the end."""
    return subprocess.run([*prefix, BINARY, *map(str, arguments)], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, env=sensor.environment(settings), check=False)


class Following:
    """One that goes on until it is ended; what it says is read while it runs."""

    def __init__(self, *arguments, settings=None, prefix=None):
        self._stdout, self._stderr = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen([*map(str, prefix or [BINARY]), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=self._stdout,
                                        stderr=self._stderr, env=sensor.environment(settings))

    @staticmethod
    def _text(file):
        return os.pread(file.fileno(), 64 << 20, 0).decode(errors="replace")

    def stdout(self):
        return self._text(self._stdout)

    def stderr(self):
        return self._text(self._stderr)

    def lines(self):
        """Those that are whole."""
        return [line for line in self.stdout().splitlines(keepends=True) if line.endswith("\n")]

    def rows(self):
        return [json.loads(line) for line in self.lines()]

    def await_lines(self, count, timeout=30):
        sensor.until(lambda: len(self.lines()) >= count, timeout,
                     lambda: f"{len(self.lines())} of {count} lines: {self.stderr()}")

    def await_said(self, text, timeout=30):
        sensor.until(lambda: text in self.stderr(), timeout, lambda: f"never said {text!r}: {self.stderr()}")

    def end(self, number, timeout=20):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._stdout.close()
        self._stderr.close()
