"""What tshark says of the shared captures: its TSV tables and the manifest, as plain values."""

import csv
import datetime
import ipaddress
from collections import defaultdict
from dataclasses import dataclass

WHOLE_FILE = "packets"  # in place of a tuple: the packet count of the file
STREAM_LIMIT = 300  # streams of a file after which the tables stop
# Words of the manifest's column `exercises` for what the comparison of tuples leaves out: of a datagram in fragments tshark
# counts the last one alone.
LEFT_OUT = {"ip4frag", "ip6frag"}
TUNNELS = {"tunnel", "gre", "vxlan", "geneve"}
# Files of tunnels that the manifest has no word for: their names say what they are.
UNTAGGED_TUNNELS = {
    "tcpdump/bigtcp-ipv4-geneve-ipv4.pcap",
    "tcpdump/bigtcp-ipv6-geneve-ipv6.pcap",
    "tcpdump/mpls-over-udp.pcap",
    "tcpdump/vxlan_port_8472.pcap",
}
# Of a datagram that holds another packet tshark's tables have the inner addresses beside the outer ports: GTP-U, Geneve,
# VXLAN (both ports, and GPE), LISP, MPLS. Rows of these ports say nothing and are compared by nobody.
TUNNEL_PORTS = {2152, 4341, 4342, 4789, 4790, 6081, 6635, 8472}


@dataclass
class File:
    """One row of files.tsv."""

    name: str
    packets: int
    whole: bool  # tshark read it to its end
    tunnelled: bool
    left_out: str  # why its tuples are not compared; "" = they are


def read_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def read_explained(path, column="tuple"):
    """{(file, place): reason}; `*` for a place stands for all of the file but its packet count."""
    return {(row["file"], row[column]): row["reason"] for row in read_rows(path)}


def judge_explanations(differing, explained, names, path):
    """Differences nobody explained, and explanations of what does not differ (any more)."""
    used = set()
    for (name, place), text in sorted(differing.items()):
        reasons = {(name, place), (name, "*")} if place != WHOLE_FILE else {(name, place)}
        if not reasons & explained.keys():
            yield f"{name}: {place}: {text}: not in {path.name}"
        used |= reasons & explained.keys()
    for name, place in sorted(explained.keys() - used):
        if name in names:
            yield f"{name}: {place}: explained in {path.name} but equal"


def read_exercises(captures):
    """The manifest's words of each file."""
    words = {}
    for line in (captures / "MANIFEST.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 7 and "/" in cells[0]:
            words[cells[0]] = set(cells[5].split())
    return words


def read_files(captures):
    exercises = read_exercises(captures)
    for row in read_rows(captures / "tshark-oracle" / "files.tsv"):
        words = exercises.get(row["file"], set())
        yield File(row["file"], int(row["packets"]), row["tshark_rc"] == "0", is_tunnelled(row, words),
                   left_out(row, words))


def is_tunnelled(row, words):
    return row["file"] in UNTAGGED_TUNNELS or int(row["gre"]) or int(row["vxlan"]) or bool(words & TUNNELS)


def left_out(row, words):
    if int(row["ip4_nonfirst_frag"]) or int(row["ip6_frag"]) or words & LEFT_OUT:
        return "fragments"
    if int(row["tcp_streams"]) > STREAM_LIMIT or int(row["udp_streams"]) > STREAM_LIMIT:
        return "streams"
    return ""


def tuple_key(protocol, ip, port, other_ip, other_port):
    """(key, flipped): the smaller endpoint first, so that both directions have one key."""
    ends = (endpoint(ip, port), endpoint(other_ip, other_port))
    flipped = ends[1] < ends[0]
    return (protocol, *(reversed(ends) if flipped else ends)), flipped


def endpoint(ip, port):
    address = ipaddress.ip_address(ip)
    return address.version, address.packed, int(port)


def is_of_tunnel(key):
    return key[0] == "udp" and any(port in TUNNEL_PORTS for _, _, port in key[1:])


def tuple_text(key):
    protocol, *ends = key
    return protocol + " " + " ".join(f"{ipaddress.ip_address(packed)},{port}" for _, packed, port in ends)


def read_streams(captures):
    """{file: {tuple key: [packets a->b, packets b->a, bytes a->b, bytes b->a]}}, streams of a tuple added up."""
    counts = defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
    for protocol in ("tcp", "udp"):
        for row in read_rows(captures / "tshark-oracle" / f"{protocol}_streams.tsv"):
            key, flipped = tuple_key(protocol, row["first_src"], row["first_sport"], row["first_dst"],
                                     row["first_dport"])
            forward, reverse = ("rev", "fwd") if flipped else ("fwd", "rev")
            if is_of_tunnel(key):
                continue
            add(counts[row["file"]][key], [int(row["pkts_" + forward]), int(row["pkts_" + reverse]),
                                           int(row["framebytes_" + forward]), int(row["framebytes_" + reverse])])
    return counts


QUALITY = ("retransmissions", "out_of_order", "zero_windows", "duplicate_acks")


def read_quality(captures):
    """{file: {tuple key: {counter: n}}} of TCP, streams of a tuple added up."""
    columns = dict(zip(QUALITY, ("retransmission", "out_of_order", "zero_window", "dup_ack")))
    counts = defaultdict(lambda: defaultdict(lambda: dict.fromkeys(QUALITY, 0)))
    for row in read_rows(captures / "tshark-oracle" / "tcp_streams.tsv"):
        key, _ = tuple_key("tcp", row["first_src"], row["first_sport"], row["first_dst"], row["first_dport"])
        counters = counts[row["file"]][key]
        for name, column in columns.items():
            counters[name] += int(row[column])
    return counts


def read_handshakes(captures):
    """{file: {(tuple key, first stamp in ns): initial RTT in seconds or None}} of TCP streams."""
    found = defaultdict(dict)
    for row in read_rows(captures / "tshark-oracle" / "tcp_streams.tsv"):
        key, _ = tuple_key("tcp", row["first_src"], row["first_sport"], row["first_dst"], row["first_dport"])
        rtt = row["initial_rtt_s"]
        found[row["file"]][key, stamp_ns(row["ts_first"])] = float(rtt) if rtt else None
    return found


def stamp_ns(text):
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)


def add(into, values):
    for index, value in enumerate(values):
        into[index] += value


def flow_counts(flows):
    """The same shape as read_streams() for one file, of an export."""
    counts = defaultdict(lambda: [0, 0, 0, 0])
    for flow in flows:
        if flow["protocol"] in ("tcp", "udp"):
            key, flipped = flow_key(flow)
            if is_of_tunnel(key):
                continue
            sides = ("b_to_a", "a_to_b") if flipped else ("a_to_b", "b_to_a")
            add(counts[key], [flow[f"{what}_{side}"] for what in ("packets", "bytes") for side in sides])
    return counts


def flow_quality(flows):
    counts = defaultdict(lambda: dict.fromkeys(QUALITY, 0))
    for flow in flows:
        if flow["protocol"] == "tcp":
            counters = counts[flow_key(flow)[0]]
            for name in QUALITY:
                counters[name] += flow[name]
    return counts


def flow_handshakes(flows):
    """The same shape as read_handshakes() for one file, of an export."""
    found = {}
    for flow in flows:
        if flow["protocol"] == "tcp":
            rtt = flow["handshake_rtt_ms"]
            place = flow_key(flow)[0], time_ns(flow["first_seen_time"])
            found.setdefault(place, rtt / 1000 if rtt is not None else None)
    return found


def time_ns(text):
    """Of a time in RFC 3339, in UTC, with any digits of a second."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(seconds + "+00:00")
    return int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


def flow_key(flow):
    a, b = flow["endpoint_a"], flow["endpoint_b"]
    return tuple_key(flow["protocol"], a["ip"], a["port"], b["ip"], b["port"])
