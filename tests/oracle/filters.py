"""Checks that a BPF filter accepts exactly the packets that libpcap's own test suite expects
(libpcap/FILTER_EXPECTED.tsv of the shared captures). Where the libpcap of this machine does not meet that
expectation itself (an older one; a host name that it cannot resolve), netscope must do what that libpcap does."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import capture_file
import installed_libpcap
import sensor
import tables

LIBPCAP = sensor.SHARED_CAPTURES / "libpcap"


def check_filter(row, folder):
    """What netscope agrees with: "the table", "the installed libpcap", or a sentence that begins with PROBLEM."""
    table = [int(length) > 0 for length in row["per_packet_results"].split(",") if length]
    frames = capture_file.read_frames(LIBPCAP / row["savefile"])[: len(table)]
    source, copy = folder / "in.pcap", folder / "out.pcap"
    capture_file.write_pcap(source, [(frame.time_ns, frame.content) for frame in frames], frames[0].link_type)
    installed = installed_libpcap.accepted(source, row["filter"])
    result = sensor.run("-r", source, "-w", copy, "--report", "none", row["filter"])
    if installed is None and result.returncode == sensor.USAGE:
        return "the installed libpcap"
    if result.returncode != sensor.DONE:
        return f"PROBLEM: exit {result.returncode}: {result.stderr.decode(errors='replace').strip()}"
    written = [frame.content for frame in capture_file.read_frames(copy)]
    for name, verdicts in (("the table", table), ("the installed libpcap", installed)):
        if verdicts and written == [frame.content for frame, taken in zip(frames, verdicts) if taken]:
            return name
    return f"PROBLEM: {len(written)} packets accepted, {sum(table)} expected"


def main():
    if not LIBPCAP.is_dir():
        print(f"SKIPPED: no captures at {LIBPCAP}: no filter was compared with libpcap's expectations")
        return sensor.SKIPPED
    agreements = Counter()
    with tempfile.TemporaryDirectory(prefix="netscope-test-") as folder:
        for row in tables.read_rows(LIBPCAP / "FILTER_EXPECTED.tsv"):
            verdict = check_filter(row, Path(folder))
            agreements[verdict.split(":")[0]] += 1
            if verdict != "the table":
                print(f"{row['savefile']}: {row['filter']}: {verdict}")
    print(f"FIGURE: filters that agree with {dict(agreements)}")
    return 1 if agreements["PROBLEM"] or not agreements["the table"] else 0


if __name__ == "__main__":
    sys.exit(main())
