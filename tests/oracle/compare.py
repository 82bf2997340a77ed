"""Runs netscope over every shared capture and compares it with tshark's tables.

    compare.py [--captures DIR] [--only TEXT] [--jobs N] [--list-differences]

Checks, and exits 1 when one fails:
  runs        exit code 0, 3 or 4 and no finding of a sanitizer; the ledger balances
  packets     as many as files.tsv says, wherever tshark read the file whole
  tuples      packets and bytes a direction of every TCP and UDP five-tuple, tunnels looked through, in files without
              fragments or more than 300 streams: 99 % equal, 99.5 % in files without tunnels, each of the rest explained in explained.tsv, and none explained
              that is equal
  round trip  --write-pcap gives back every packet: time, length, bytes
  quality     TCP counters of a stream equal to tshark's, and RTTs of handshakes: the bars of streams.py, each of the
              rest explained in explained_tcp.tsv, and none explained that is equal
"""

import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import capture_file
import comparing
import sensor
import streams
import tables

REQUIRED_EQUAL, REQUIRED_OUTSIDE = 0.99, 0.995  # of all tuples; of those in files without tunnels
EXPLAINED = Path(__file__).with_name("explained.tsv")
ENDS = (sensor.DONE, sensor.UNREADABLE, sensor.TRUNCATED)


@dataclass
class Outcome:
    """What one capture gave."""

    name: str
    problems: list = field(default_factory=list)
    code: int = 0
    packets: int = 0
    tuples: dict = field(default_factory=dict)
    quality: dict = field(default_factory=dict)
    handshakes: dict = field(default_factory=dict)


def run_capture(captures, name):
    """One run gives everything: export, summary, and the packets written back."""
    outcome = Outcome(name)
    with tempfile.TemporaryDirectory(prefix="netscope-test-") as folder:
        frames = capture_file.read_frames(captures / name)
        copy_name = "copy.pcapng" if len({frame.link_type for frame in frames}) > 1 else "copy.pcap"
        export, summary, copy = (Path(folder) / part for part in ("flows.json", "summary.json", copy_name))
        result = sensor.run("-r", captures / name, "--flow-timeout-s", 0, "--export-json", export,
                            "--summary-json", summary, "--write-pcap", copy, "--report", "none", timeout=300)
        outcome.code = result.returncode
        judge_run(outcome, result)
        if outcome.code in (sensor.DONE, sensor.TRUNCATED):
            flows = sensor.load_json(export)
            outcome.tuples, outcome.quality = tables.flow_counts(flows), tables.flow_quality(flows)
            outcome.handshakes = tables.flow_handshakes(flows)
            judge_summary(outcome, sensor.load_json(summary))
            judge_copy(outcome, frames, capture_file.read_frames(copy))
    return outcome


def judge_run(outcome, result):
    finding = sensor.finding(result.stderr)
    if finding:
        outcome.problems.append(f"run: {finding}")
    elif outcome.code not in ENDS:
        outcome.problems.append(f"run: exit {outcome.code}: {result.stderr.decode(errors='replace')[-300:]}")


def judge_summary(outcome, summary):
    outcome.packets = summary["packets"]
    missing = sensor.ledger_missing(summary)
    if missing:
        outcome.problems.append(f"run: the ledger is off by {missing}")


def judge_copy(outcome, expected, written):
    if len(expected) != len(written):
        outcome.problems.append(f"round trip: {len(written)} packets of {len(expected)}")
        return
    for number, (was, is_now) in enumerate(zip(expected, written), 1):
        if mended(was, is_now) != is_now:
            outcome.problems.append(f"round trip: packet {number}: {describe(is_now)} instead of {describe(was)}")
            return


def mended(frame, copy):
    """What a copy may mend: a packet without a stamp gets one, a wire length below what was captured becomes that."""
    time_ns = copy.time_ns if frame.time_ns is None else frame.time_ns
    return replace(frame, time_ns=time_ns, length=max(frame.length, len(frame.content)))


def describe(frame):
    return f"({frame.time_ns} ns, {len(frame.content)} of {frame.length} bytes, link type {frame.link_type})"


def compare_tuples(expected, found):
    """(equal, {tuple text: what differs}) of one file; a tuple that only one side has differs."""
    equal, differing = 0, {}
    for key in expected.keys() | found.keys():
        theirs, ours = expected.get(key), found.get(key)
        if theirs == ours:
            equal += 1
        else:
            differing[tables.tuple_text(key)] = f"tshark {theirs}, netscope {ours}"
    return equal, differing


@dataclass
class Comparison:
    """All files together."""

    shares: dict = field(default_factory=lambda: {True: streams.Share(), False: streams.Share()})  # by whether the file has tunnels
    differing: dict = field(default_factory=dict)  # (file, tuple) -> what differs
    counts_checked: int = 0
    left_out: Counter = field(default_factory=Counter)

    @property
    def outside(self):
        return self.shares[False]

    @property
    def all(self):
        inside = self.shares[True]
        return streams.Share(self.outside.equal + inside.equal, self.outside.total + inside.total)

    def add(self, file, outcome, expected):
        if file.whole:
            self.counts_checked += 1
            if outcome.packets != file.packets:
                self.differing[file.name, tables.WHOLE_FILE] = f"tshark {file.packets}, netscope {outcome.packets}"
        if file.left_out:
            self.left_out[file.left_out] += 1
            return
        equal, differing = compare_tuples(expected, outcome.tuples)
        share = self.shares[bool(file.tunnelled)]
        share.equal += equal
        share.total += equal + len(differing)
        self.differing.update({(file.name, place): text for place, text in differing.items()})


def list_differences(*lists):
    for differing in lists:
        for (name, place), text in sorted(differing.items()):
            print(f"{name}\t{place}\t{text}")


def print_figures(outcomes, comparison, explained, agreement):
    codes = Counter(outcome.code for outcome in outcomes)
    print(f"FIGURE: {len(outcomes)} captures, exit codes {dict(sorted(codes.items()))}, "
          f"{sum(outcome.packets for outcome in outcomes)} packets")
    print(f"FIGURE: packet counts compared in {comparison.counts_checked} files")
    print(f"FIGURE: tuples equal {comparison.all}, outside tunnels {comparison.outside}, {len(explained)} lines of explanation; "
          f"files left out: {dict(comparison.left_out)}")
    for figure in agreement.figures():
        print(f"FIGURE: {figure}")


def find_problems(files, outcomes, comparison, agreement, explained):
    names = {file.name for file in files}
    problems = [f"{outcome.name}: {problem}" for outcome in outcomes for problem in outcome.problems]
    problems += tables.judge_explanations(comparison.differing, explained, names, EXPLAINED)
    problems += tables.judge_explanations(agreement.differing, tables.read_explained(streams.EXPLAINED), names, streams.EXPLAINED)
    return problems


def judge_shares(comparison, agreement):
    for share, required, where in ((comparison.all, REQUIRED_EQUAL, ""),
                                   (comparison.outside, REQUIRED_OUTSIDE, " outside tunnels")):
        if share.share < required:
            yield f"only {share} of the tuples{where} are equal, {required:.1%} must be"
    yield from agreement.problems()


def compare_all(arguments):
    files = [file for file in tables.read_files(arguments.captures) if arguments.only in file.name]
    outcomes = list(comparing.run_all(arguments, [file.name for file in files], run_capture).values())
    comparison, agreement = Comparison(), streams.agreement(arguments.captures, outcomes)
    expected = tables.read_streams(arguments.captures)
    for file, outcome in zip(files, outcomes):
        comparison.add(file, outcome, expected.get(file.name, {}))
    explained = tables.read_explained(EXPLAINED)
    if arguments.list_differences:
        list_differences(comparison.differing, agreement.differing)
    problems = find_problems(files, outcomes, comparison, agreement, explained)
    if not arguments.only:
        problems += judge_shares(comparison, agreement)
    print_figures(outcomes, comparison, explained, agreement)
    return problems, outcomes


if __name__ == "__main__":
    sys.exit(comparing.main(compare_all, "Compares netscope with tshark over the shared captures.",
                            "nothing was compared with tshark"))
