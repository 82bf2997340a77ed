#!/usr/bin/env python3
"""Makes the table of detection's accuracy for docs/detection.md, per data set. See --help."""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

import capture_file  # noqa: E402
import sensor  # noqa: E402
from detection import cluster, directions, expected, floods, lists, network, scans  # noqa: E402

HEADS = "| data set | captures | attacks | found | missed | falsely raised |\n|---|---|---|---|---|---|\n"
BEGIN, END = "<!-- accuracy: made by tests/detection_table.py -->", "<!-- end of accuracy -->"

SHOWN = 3  # exceptions of one capture
numbers_of_workers = [1]  # all of which must say the same

ABOUT = """Judges every data set with the binary that NETSCOPE_BINARY names (default build/) at default thresholds and
prints a table in Markdown: what was found, missed and falsely raised, each data set by itself, and the exceptions by
name. With --write FILE it stands between the markers of FILE."""


@dataclass
class Set:
    """What came of a data set. A capture that raises anything it should not counts once."""

    name: str
    captures: int = 0
    attacks: int = 0
    found: int = 0
    exceptions: list = field(default_factory=list)  # (capture, sentence)
    false: set = field(default_factory=set)

    def judge(self, name, scene, alerts):
        self.captures += 1
        self.attacks += len(scene.attacks)
        told = [attack for attack in scene.attacks if any(attack.is_told_by(alert) for alert in alerts)]
        self.found += len(told)
        wrong = expected.complaints(scene, alerts)
        self.exceptions += [(name, complaint) for complaint in wrong[:SHOWN]]
        if len(wrong) > SHOWN:
            self.exceptions.append((name, f"and {len(wrong) - SHOWN} more"))
        if any(complaint.startswith("nothing explains") for complaint in wrong):
            self.false.add(name)

    def row(self):
        return (f"| {self.name} | {self.captures} | {self.attacks} | {self.found} | {self.attacks - self.found} | "
                f"{len(self.false)} |\n")


def lines_of(path, workers):
    """The bytes of the alerts; None = the sensor cannot read it."""
    result = sensor.run("-r", path, "--anomalies", "--report", "none", "--alerts-jsonl", "-", "--workers", workers)
    return result.stdout if result.returncode in (sensor.DONE, sensor.TRUNCATED) else None


def alerts_of(path):
    told = {lines_of(path, workers) for workers in numbers_of_workers}
    if len(told) > 1:
        sys.exit(f"{path}: the alerts are not the same for {numbers_of_workers} workers")
    lines = told.pop()
    return None if lines is None else expected.begun(lines)


def made_up(name, scenes, folder):
    made = Set(name)
    for scene in scenes:
        path = folder / "scene.pcap"
        scene.make().write(path)
        made.judge(scene.name, scene, alerts_of(path))
    return made


def ordinary_scenes():
    return [expected.Scene(make.__name__, make) for make in cluster.BENIGN + network.BENIGN]


def by_direction(name, folder):
    """Made-up ordinary traffic, each direction by itself."""
    made = Set(name)
    for scene in ordinary_scenes():
        paths = [folder / "low.pcap", folder / "high.pcap"]
        scene.make().write_directions(*paths)
        for path in paths:
            made.judge(f"{scene.name}, {path.stem}", scene, alerts_of(path))
    return made


def real(name, scenes):
    made = Set(name)
    for scene in scenes:
        made.judge(scene.name, scene, alerts_of(lists.CAPTURES / scene.name) or [])
    return made


def real_by_direction(name, scenes, folder):
    made = Set(name)
    for scene in scenes:
        for path in directions.split(lists.CAPTURES / scene.name, folder):
            made.judge(f"{scene.name}, {path.stem}", scene, alerts_of(path) or [])
    return made


def others(name):
    """Captures on no list: malformed, fuzzed, of other link types; no attack that a detector looks for."""
    listed = {*lists.benign(), *(scene.name for scene in lists.labelled()), *(row[0] for row in lists.argued())}
    made = Set(name)
    for path in sorted(lists.CAPTURES.rglob("*")):
        capture = str(path.relative_to(lists.CAPTURES))
        if capture in listed or not is_capture(path):
            continue
        alerts = alerts_of(path)
        if alerts is not None:
            made.judge(capture, expected.Scene(capture, None), alerts)
    return made


def is_capture(path):
    if not path.is_file() or any(part.endswith(".expected") for part in path.parts):
        return False
    with open(path, "rb") as file:
        magic = file.read(4)
    return magic in (*capture_file.PCAP_MAGICS, capture_file.PCAPNG_MAGIC) or magic[:2] == capture_file.GZIP_MAGIC


def sets_of(folder):
    labelled, argued = lists.labelled(), [expected.Scene(row[0], None) for row in lists.argued()]
    ordinary = [expected.Scene(name, None) for name in lists.benign()]
    yield made_up("made-up ordinary traffic of clusters and networks", ordinary_scenes(), folder)
    yield by_direction("the same, each direction by itself", folder)
    yield made_up("made-up scans and sweeps", [scene for scene in scans.SCENES if scene.attacks], folder)
    yield made_up("made-up floods", [scene for scene in floods.SCENES if scene.attacks], folder)
    yield made_up("made-up, just below a threshold",
                  [scene for scene in scans.SCENES + floods.SCENES if not scene.attacks], folder)
    if lists.CAPTURES.is_dir():
        yield real("real captures of ordinary traffic", ordinary)
        yield real_by_direction("the same, each direction by itself", ordinary, folder)
        yield real("real captures of attacks", [scene for scene in labelled if scene.attacks])
        yield real("real captures of attacks, below a threshold", [scene for scene in labelled if not scene.attacks])
        yield real("real captures that may be argued over", argued)
        yield others("the rest of the real captures: malformed, fuzzed, rare links")


def table(made):
    text = HEADS + "".join(one.row() for one in made)
    exceptions = [f"- `{capture}` ({one.name}): {sentence}\n" for one in made for capture, sentence in one.exceptions]
    return text + ("\nThe exceptions:\n\n" + "".join(exceptions) if exceptions else "")


def write(path, text):
    content = path.read_text(encoding="utf-8")
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{path}: the markers {BEGIN} and {END} are not there")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=ABOUT)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the markers of FILE")
    parser.add_argument("--repeat", action="store_true",
                        help="judge each capture with 1, 2, 3 and 8 workers: the alerts must be the same bytes")
    options = parser.parse_args()
    if options.repeat:
        numbers_of_workers[:] = [1, 2, 3, 8]
    made = []
    with TemporaryDirectory(prefix="netscope-test-") as folder:
        for one in sets_of(Path(folder)):
            print(one.row(), end="", file=sys.stderr, flush=True)
            made.append(one)
    text = table(made)
    if options.write:
        write(options.write, text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
