"""What the benchmark scripts share: where the programs are, timed runs, medians and tables."""

import argparse
import importlib.machinery
import importlib.util
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST_S = 900


class Trouble(Exception):
    """Ends a script with a sentence."""


@dataclass(frozen=True)
class Run:
    wall_s: float
    cpu_s: float
    rss_mb: float  # the peak; at least what this script itself takes, see floor_mb()
    output: str


class Programs:
    """The programs of a build folder."""

    def __init__(self, build):
        build = Path(build).resolve()
        self.netscope = build / "src/app/netscope"
        for name in ("loop", "flows", "mix", "micro", "changes"):
            setattr(self, name, build / "bench" / name)
        for path in (self.netscope, self.loop, self.flows, self.mix, self.micro, self.changes):
            if not path.exists():
                raise Trouble(f"{path} is not there; build it: cmake -S . -B {build} -G Ninja "
                              f"-DCMAKE_BUILD_TYPE=Release -DNETSCOPE_BENCH=ON && ninja -C {build}")


def parser(description, **more):
    """Arguments that every script takes."""
    made = argparse.ArgumentParser(description=description, **more)
    made.add_argument("--build", default=ROOT / "build", metavar="FOLDER",
                      help="build with -DNETSCOPE_BENCH=ON (default build/)")
    made.add_argument("--tsv", metavar="PATH", help="write the table as tab-separated values too")
    return made


def reap(process, begin_s):
    """Waits for a process and gives its Run without output."""
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - begin_s
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, "")


def run(words, stdin=subprocess.DEVNULL, keep_output=False):
    """Runs a program to its end; output is dropped unless it is asked for. Fails when the program does, or when it
    takes longer than LONGEST_S."""
    words = [str(word) for word in words]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin_s = time.monotonic()
        process = subprocess.Popen(words, stdin=stdin, stdout=output if keep_output else subprocess.DEVNULL,
                                   stderr=errors)
        overdue = threading.Timer(LONGEST_S, process.kill)
        overdue.start()
        try:
            ended = reap(process, begin_s)
        except BaseException:  # told to end
            process.kill()
            raise
        finally:
            overdue.cancel()
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["without a word"]
            ending = f"did not end within {LONGEST_S} s" if ended.wall_s >= LONGEST_S else \
                f"ended with {process.returncode}: {last[0]}"
            raise Trouble(f"{' '.join(words)} {ending}")
        return Run(ended.wall_s, ended.cpu_s, ended.rss_mb, output.read().decode(errors="replace"))


def run_fed(maker, words):
    """Runs a program whose standard input is the output of another."""
    with subprocess.Popen([str(word) for word in maker], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as making:
        ended = run(words, stdin=making.stdout)
        making.stdout.close()
    if making.returncode != 0:
        raise Trouble(f"{' '.join(map(str, maker))} ended with {making.returncode}")
    return ended


def floor_mb():
    """The least peak that a run can show: a child begins with the memory of this script."""
    return run(["true"]).rss_mb


def packets_of(programs, path):
    """Packets of a capture, by libpcap."""
    return int(run([programs.loop, path], keep_output=True).output.split()[0])


def script_module(name):
    """Another script of this folder, as a module."""
    loader = importlib.machinery.SourceFileLoader(f"bench_{name}", str(ROOT / "bench" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def installed(name):
    return shutil.which(name) is not None


def median(values):
    return statistics.median(values)


def print_table(heads, rows):
    """Texts in columns: the first to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [heads, *rows]) for i in range(len(heads))]
    for line in [heads, *rows]:
        cells = [line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  ".join(cells).rstrip())


def write_tsv(path, heads, rows):
    if path:
        lines = ["\t".join(line) + "\n" for line in [heads, *rows]]
        Path(path).write_text("".join(lines), encoding="utf-8")


def say(text):
    print(text, file=sys.stderr, flush=True)


def script(main):
    """Runs a script's main(); a Trouble becomes a sentence and exit code 1. SIGTERM cleans up as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except Trouble as trouble:
        say(f"{Path(sys.argv[0]).name}: {trouble}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
