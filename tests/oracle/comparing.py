"""What comparisons over the shared captures have in common: their options, their runs side by side, and their end."""

import argparse
import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sensor


def read_arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--captures", type=Path, default=sensor.SHARED_CAPTURES)
    parser.add_argument("--only", default="", help="only captures whose name holds this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list-differences", action="store_true", help="print everything that differs")
    return parser.parse_args()


def run_all(arguments, names, run, pool=ThreadPoolExecutor):
    """{name: run(captures, name)}, so many at once. A pool of processes needs a function of a module."""
    with pool(arguments.jobs) as workers:
        return dict(zip(names, workers.map(functools.partial(run, arguments.captures), names)))


def main(compare, description, without):
    """The exit code of `compare(arguments)`, which prints its figures and returns its problems, and whether anything was
    compared at all. `without` says what did not happen where there are no captures."""
    arguments = read_arguments(description)
    if not arguments.captures.is_dir():
        print(f"SKIPPED: no captures at {arguments.captures}: {without}")
        return sensor.SKIPPED
    problems, compared = compare(arguments)
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(problems)} problems")
    return 1 if problems or not compared else 0
