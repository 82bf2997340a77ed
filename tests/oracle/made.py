"""What NetScope says of captures that were made from the shared ones, where nothing is known but that little may change.

    made.py [--captures DIR] [--only TEXT] [--jobs N] [--list-differences]

Of every shared capture with TCP a copy is made (pcapng, one interface a link type), and of that one two halves, which hold
one direction of each TCP connection and all that is not TCP, and one with every frame twice. A connection that works in the
copy may not have failed in a half, by its state or by the report's counts, unless only its SYN is left; doubling may not
change a headline of the report, nor the retransmissions behind it. Each difference stands in explained_made.tsv with its
reason. Exits 1 where one is not explained, or an explanation explains nothing.
"""

import json
import re
import struct
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import capture_file
import comparing
import sensor
import tables

EXPLAINED = Path(__file__).with_name("explained_made.tsv")
WORKING = {"established", "fin_wait", "closed"}
FAILED = {"syn_sent", "syn_ack"}
SYN, ACK, TELLING = 0x02, 0x10, 0x17
DIRECTION = re.compile(r"^(\d+) .*? (\S+) > (\S+) tcp\b")


def block(number, body):
    length = 12 + len(body)
    return struct.pack("<II", number, length) + body + struct.pack("<I", length)


def write_pcapng(path, frames):
    """Stamps in nanoseconds; those before 1970, which frames of a file without stamps have not, become 1970."""
    links = sorted({frame.link_type for frame in frames})
    resolution = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
    with open(path, "wb") as file:
        file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for link in links:
            file.write(block(1, struct.pack("<HHI", link, 0, 0) + resolution))
        for frame in frames:
            ticks = max(frame.time_ns or 0, 0)
            head = struct.pack("<IIIII", links.index(frame.link_type), ticks >> 32, ticks & 0xFFFFFFFF,
                               len(frame.content), frame.length)
            file.write(block(6, head + frame.content + bytes(-len(frame.content) % 4)))


def run(folder, name, frames, *arguments):
    """(flows, summary, output) of a capture of these frames."""
    capture, export, summary = (folder / f"{name}.{kind}" for kind in ("pcapng", "flows", "summary"))
    write_pcapng(capture, frames)
    result = sensor.run("-r", capture, "--export-json", export, "--summary-json", summary, "--report", "none",
                        *arguments, timeout=300)
    if result.returncode not in (sensor.DONE, sensor.TRUNCATED):
        raise RuntimeError(f"exit {result.returncode}: {result.stderr.decode(errors='replace')}")
    return sensor.load_json(export), sensor.load_json(summary), result.stdout.decode(errors="replace")


def side_of(source, target):
    """0 or 1: which way it goes; fragments have no ports, so they are asked for only where the addresses are equal."""
    ends = [re.sub(r"^\[?([^\]]*?)\]?:\d+$", r"\1", end) if end.count(":") == 1 or "[" in end else end
            for end in (source, target)]
    told = ends if ends[0] != ends[1] else [source, target]
    return int(told != sorted(told))


def halves_of(frames, lines):
    """Two lists of frames. What is not TCP is in both."""
    sides = {}
    for line in lines:
        found = DIRECTION.match(line)
        if found:
            sides[int(found[1])] = side_of(found[2], found[3])
    return [[frame for number, frame in enumerate(frames, 1) if sides.get(number, side) == side] for side in (0, 1)]


def place_of(flow):
    ends = (flow["endpoint_a"], flow["endpoint_b"])
    return "tcp " + " ".join(f"{end['ip']},{end['port']}" for end in ends)


def is_two_way(flow):
    return flow["packets_a_to_b"] > 0 and flow["packets_b_to_a"] > 0


def flags_of(flow):
    return (flow["tcp_flags_a"] | flow["tcp_flags_b"]) & TELLING


def is_lone_syn(flow):
    """Of its side nothing but its SYN, or its SYN-ACK, is left."""
    return flags_of(flow) in (SYN, SYN | ACK)


def of_tcp(flows):
    return [flow for flow in flows if flow["protocol"] == "tcp"]


def overlap(flow, other):
    return flow["first_seen"] <= other["last_seen"] and other["first_seen"] <= flow["last_seen"]


def check_half(whole, half, summary):
    """(place, what is wrong): connections that worked and have failed now."""
    known = {}
    for flow in of_tcp(whole):
        known.setdefault(place_of(flow), []).append(flow)
    for flow in of_tcp(half):
        before = [old for old in known.get(place_of(flow), []) if overlap(old, flow)]
        worked = before and all(is_two_way(old) and old["tcp_state"] in WORKING for old in before)
        if worked and not is_lone_syn(flow) and (flow["tcp_state"] in FAILED or flow["conn_state"] == "REJ"):
            now = " ".join((flow["tcp_state"], flow["conn_state"], flow["history"]))
            yield place_of(flow), f"half: {before[0]['tcp_state']} is {now}"
    lone = sum(flags_of(flow) == SYN for flow in of_tcp(half))
    failed = sum(summary["tcp"][name] for name in ("unanswered", "refused", "half_open"))
    if failed > lone:
        yield "report", f"half: {failed} failed, but only {lone} are lone SYNs"


def check_doubled(whole, doubled):
    if whole["headlines"] != doubled["headlines"]:
        yield "report", f"doubled: {whole['headlines']} are {doubled['headlines']}"
    for name in ("retransmissions", "lossy_flows", "unanswered", "refused", "half_open"):
        if whole["tcp"][name] != doubled["tcp"][name]:
            yield name, f"doubled: {whole['tcp'][name]} are {doubled['tcp'][name]}"


def check_capture(captures, name):
    """[(place, what is wrong)], and whether the capture has TCP in both directions."""
    frames = capture_file.read_frames(captures / name)
    with tempfile.TemporaryDirectory(prefix="netscope-test-") as path:
        folder, problems = Path(path), []
        whole, summary, lines = run(folder, "whole", frames, "--packets", "always")
        for half in halves_of(frames, lines.splitlines()):
            if half:
                flows, told, _ = run(folder, "half", half)
                problems += check_half(whole, flows, told)
        _, told, _ = run(folder, "doubled", [frame for frame in frames for _ in range(2)])
        problems += check_doubled(summary, told)
        return problems, any(is_two_way(flow) for flow in of_tcp(whole))


def compare_all(arguments):
    files = tables.read_rows(arguments.captures / "tshark-oracle" / "files.tsv")
    names = [row["file"] for row in files if int(row["tcp_streams"]) > 0 and arguments.only in row["file"]]
    found, two_way = {}, 0
    for name, (problems, has_two_way) in comparing.run_all(arguments, names, check_capture, ProcessPoolExecutor).items():
        found.update({(name, place): text for place, text in problems})
        two_way += has_two_way
    if arguments.list_differences:
        for (name, place), text in sorted(found.items()):
            print(f"{name}\t{place}\t{text}")
    problems = list(tables.judge_explanations(found, tables.read_explained(EXPLAINED, "place"), set(names), EXPLAINED))
    print(f"FIGURE: {len(names)} captures with TCP, {two_way} of them two-way: {len(found)} differences in halves, doubles")
    return problems, names


if __name__ == "__main__":
    sys.exit(comparing.main(compare_all, "Checks what is said of halves and doubles of the shared captures.",
                            "nothing was made of them"))
