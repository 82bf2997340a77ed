"""Compares conn_state, history and payload bytes of connections with Zeek's baselines of the shared captures.

    zeek.py [--captures DIR] [--only TEXT] [--jobs N] [--list-differences]

A baseline is a conn.log that a test of Zeek's expects. zeek_settings.tsv names those that need other settings than
Zeek's own, or that the test's script changes; they are left out. Timeouts are Zeek's: TCP 300 s, UDP and ICMP 60 s. Of a
tuple with several connections the nth of Zeek's is compared with the nth of NetScope's. Letters of checksums (c) and
Zeek's mark of what it gave up (x) are taken out of its history. The connections that a tunnel goes through are left
out, as NetScope looks through them; tuples that it has no flow of are explained, but part of no share. Each difference
stands in explained_zeek.tsv with its reason. Exits 1 where the bars are missed, a difference is not explained, or an explanation explains nothing.
"""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import comparing
import sensor
import tables
from streams import Share

HERE = Path(__file__).parent
SETTINGS, EXPLAINED = HERE / "zeek_settings.tsv", HERE / "explained_zeek.tsv"
REQUIRED = {"conn_state": 0.95, "history": 0.92}
FIELDS = ("conn_state", "history", "orig_bytes", "resp_bytes")
HISTORY_LENGTH = 16
TUNNELS = {"ayiya", "geneve", "gtpv1", "teredo", "vxlan"}  # services whose connections are looked through


def read_rows(path):
    """The rows of a log as dictionaries."""
    names = []
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        if cells[0] == "#fields":
            names = cells[1:]
        elif not line.startswith("#"):
            yield dict(zip(names, cells))


def read_baseline(path):
    """{(tuple key): [{field: text}]} of a conn.log, in its order; empty where it lacks a column."""
    connections, rows = defaultdict(list), list(read_rows(path))
    outer = {uid for row in rows for uid in row.get("tunnel_parents", "-").split(",")}
    for row in rows:
        if not {"conn_state", "history", "proto", "id.orig_h"} <= row.keys() or row["proto"] not in ("tcp", "udp"):
            continue
        if row.get("uid") in outer or TUNNELS & set(row.get("service", "-").split(",")):
            continue
        key, _ = tables.tuple_key(row["proto"], row["id.orig_h"], row["id.orig_p"], row["id.resp_h"], row["id.resp_p"])
        connections[key].append({name: row.get(name, "-") for name in FIELDS})
    return connections


def read_baselines(captures):
    """(capture, test, connections) of every conn.log that was made with Zeek's own settings."""
    left_out = {(row["file"], row["test"]) for row in tables.read_rows(SETTINGS)}
    for path in sorted((captures / "zeek").rglob("conn.log")):
        capture = str(path.parent.parent.relative_to(captures)).removesuffix(".expected")
        if "also-" in capture or (capture, path.parent.name) in left_out:
            continue
        connections = read_baseline(path)
        if connections:
            yield capture, path.parent.name, connections


def run_capture(captures, name):
    """{tuple key: [{field: text}]} of what NetScope says, by the beginning of the flows."""
    with tempfile.NamedTemporaryFile(prefix="netscope-test-", suffix=".json") as export:
        sensor.run("-r", captures / name, "--flow-timeout-s", 60, "--tcp-timeout-s", 300, "--udp-timeout-s", 60,
                   "--export-json", export.name, "--report", "none", timeout=300)
        flows = sensor.load_json(export.name)
    found = defaultdict(list)
    for flow in sorted(flows, key=lambda flow: (flow["first_seen"], flow["record_seq"])):
        if flow["protocol"] in ("tcp", "udp"):
            found[tables.flow_key(flow)[0]].append(zeek_view(flow))
    return found


def zeek_view(flow):
    sides = ("a_to_b", "b_to_a") if flow["client"] != "b_to_a" else ("b_to_a", "a_to_b")
    payloads = [str(flow[f"payload_bytes_{side}"]) for side in sides]
    return dict(zip(FIELDS, (flow["conn_state"] or "", flow["history"] or "", *payloads)))


def comparable(theirs):
    """Zeek's history without what NetScope does not judge, as long as NetScope's."""
    history = "".join(letter for letter in theirs["history"] if letter not in "cCxX-")
    mark = history[:1] if history.startswith("^") else ""
    return mark + history[len(mark):][:HISTORY_LENGTH]


def compare(expected, found, shares):
    """{tuple text: what differs} of one capture."""
    differing = defaultdict(list)
    for key, theirs in expected.items():
        for number, connection in enumerate(theirs):
            if key not in found:
                differing[tables.tuple_text(key)].append("no flow of netscope")
                break
            ours = found[key][number] if number < len(found[key]) else dict.fromkeys(FIELDS, "")
            wanted = connection | {"history": comparable(connection)}
            for field in FIELDS:
                if field.endswith("bytes") and (wanted[field] == "-" or key[0] != "tcp"):
                    continue
                shares[field].count(wanted[field] == ours[field])
                if wanted[field] != ours[field]:
                    differing[tables.tuple_text(key)].append(f"{number}. {field}: zeek {wanted[field]}, "
                                                             f"netscope {ours[field]}")
    return {place: "; ".join(texts) for place, texts in differing.items()}


def compare_all(arguments):
    baselines = [line for line in read_baselines(arguments.captures) if arguments.only in line[0]]
    names = sorted({capture for capture, _, _ in baselines})
    runs = comparing.run_all(arguments, names, run_capture)
    shares, differing = {field: Share() for field in FIELDS}, {}
    for capture, test, connections in baselines:
        for place, text in compare(connections, runs[capture], shares).items():
            differing[capture, place] = text
            if arguments.list_differences:
                print(f"{capture}\t{test}\t{place}\t{text}")
    problems = list(tables.judge_explanations(differing, tables.read_explained(EXPLAINED), set(names), EXPLAINED))
    problems += [f"{field}: only {shares[field]} equal to Zeek's, {required:.0%} must be"
                 for field, required in REQUIRED.items() if not arguments.only and shares[field].share < required]
    print(f"FIGURE: {len(baselines)} baselines of {len(names)} captures")
    for field, share in shares.items():
        print(f"FIGURE: {field} equal to Zeek's: {share}")
    return problems, baselines


if __name__ == "__main__":
    sys.exit(comparing.main(compare_all, "Compares connections with Zeek's baselines.", "nothing was compared with Zeek"))
