"""Compares what netscope makes of each bundled capture with what is checked in beside this file.

    golden.py [--update] [--only TEXT]

For tests/captures/NAME: NAME.flows.jsonl (every flow of --export-json, one a line, without what is null, zero or
empty), NAME.packets.txt (packet lines), NAME.report.txt (the report), NAME.detail.txt (layers and hex of the first
packets). --update writes the files anew and shows what changed: read that before committing it.
"""

import argparse
import difflib
import json
import re
import sys
from pathlib import Path

import sensor

EXPECTED = Path(__file__).with_name("expected")
DETAIL_PACKETS = 3
PACKET_LINES = 120  # of a capture; the rest says nothing new


def export_lines(capture):
    output = text_of("-r", capture, "--export-json", "-", "--report", "none", "--node-name", "golden")
    return [json.dumps(compact(flow)) for flow in json.loads(output, parse_float=str)]


def compact(value):
    """Without what is null, zero or empty: what is left is what the flow has to say."""
    if not isinstance(value, dict):
        return value
    small = {name: compact(part) for name, part in value.items()}
    return {name: part for name, part in small.items() if part not in (None, 0, "", [], {}, False)}


def packet_lines(capture):
    return text_of("-r", capture, "--packets", "always", "--report", "none").splitlines()[:PACKET_LINES]


def detail_lines(capture):
    return text_of("-r", capture, "--packets", "always", "--hex-dump", "--count", DETAIL_PACKETS,
                   "--report", "none").splitlines()


def report_lines(capture):
    text = text_of("-r", capture, "--report", "text")
    return [without_place(line) for line in text.splitlines()]


def without_place(line):
    """Not where the project lies, nor its version."""
    return re.sub(r"^NetScope \S+ ", "NetScope ", line.replace(str(sensor.CAPTURES) + "/", ""))


def text_of(*arguments):
    result = sensor.run(*arguments)
    if result.returncode != sensor.DONE or sensor.finding(result.stderr):
        raise RuntimeError(f"exit {result.returncode}: {result.args}\n{result.stderr.decode(errors='replace')}")
    return result.stdout.decode()


RENDERINGS = {
    "flows.jsonl": export_lines,
    "packets.txt": packet_lines,
    "detail.txt": detail_lines,
    "report.txt": report_lines,
}


def compare(path, lines, update):
    """The diff, "" when equal."""
    expected = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    diff = "\n".join(difflib.unified_diff(expected, lines, str(path.name), "now", lineterm="", n=1))
    if update and (diff or not path.exists()):
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return diff


def main():
    parser = argparse.ArgumentParser(description="Compares netscope's output with the golden files.")
    parser.add_argument("--update", action="store_true", help="write the files anew and show the difference")
    parser.add_argument("--only", default="", help="only captures whose name holds this")
    arguments = parser.parse_args()
    captures = [path for path in sorted(sensor.CAPTURES.glob("*.pcap*")) if arguments.only in path.name]
    EXPECTED.mkdir(exist_ok=True)
    compared, differing = 0, 0
    for capture in captures:
        for suffix, render in RENDERINGS.items():
            diff = compare(EXPECTED / f"{capture.name}.{suffix}", render(capture), arguments.update)
            compared += 1
            if diff:
                differing += 1
                print(diff)
    print(f"{compared} files compared, {differing} {'updated' if arguments.update else 'differ'}")
    return 1 if compared == 0 or (differing and not arguments.update) else 0


if __name__ == "__main__":
    sys.exit(main())
