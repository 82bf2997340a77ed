"""Compares the names that netscope reads in payloads with what tshark and FoxIO's tools read in the shared captures.

    names.py [--captures DIR] [--only TEXT] [--jobs N] [--list-differences]

Measures, each with a bar; exits 1 when one is missed, or when a difference is not explained:
  sni      of the last ClientHello of a TCP five-tuple, by tshark
  ja3      of the first one, by tshark
  ja4      of a TCP stream, by the tables of the project that made JA4 (ja4/*.expected)
  dns      a DNS message, by tshark's frame: kind, name, type and code in the packet line; where a message took several
           TCP segments or several fragments, which no line shows, name and code in the flow. Names are compared as the
           characters that they are, not as either tool escapes them; one that tshark calls unreadable must be none here
           (what it calls the type then are the bytes behind the broken label)
What differs and is right stands in explained_names.tsv: a line a difference, `*` for all of a file.
"""

import csv
import re
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import comparing
import sensor
import tables

csv.field_size_limit(1 << 24)  # messages with thousands of records

BARS = {"sni": 0.99, "ja3": 0.99, "ja4": 0.99, "dns": 0.995}
EXPLAINED = Path(__file__).with_name("explained_names.tsv")
CLIENT_HELLO = "1"
TUNNEL = r"(?: (?:ipip|gre|erspan|vxlan|geneve|gtp_u|teredo) \d+ \(\S+ > \S+\))?"
LINE = re.compile(rf"^(\d+) .*? dns (query|answer) (\(no name\)|\S+)(?: (.+?))?{TUNNEL}(?: \[\S+ \S+\])*$")
NO_NAME = "(no name)"
UNREADABLE = re.compile(r"<(?!Root>)[A-Z][a-z ]+>")  # tshark's words in place of a name
C_ESCAPES = {"\\r": "\r", "\\n": "\n", "\\t": "\t", "\\a": "\a", "\\b": "\b", "\\f": "\f", "\\v": "\v"}
RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
          "NOTAUTH", "NOTZONE")
FRAGMENT = re.compile(r"^(\d+) .*? fragment of ")
ANSWER = re.compile(r"(.*?) ?(" + "|".join(RCODES) + r"|RCODE\d+|BAD\w+|DSOTYPENI)(?: .*)?$")
TYPES = {"1": "A", "2": "NS", "5": "CNAME", "6": "SOA", "10": "NULL", "12": "PTR", "13": "HINFO", "15": "MX", "16": "TXT",
         "24": "SIG", "25": "KEY", "28": "AAAA", "29": "LOC", "33": "SRV", "35": "NAPTR", "39": "DNAME", "41": "OPT",
         "43": "DS", "44": "SSHFP", "46": "RRSIG", "47": "NSEC", "48": "DNSKEY", "50": "NSEC3", "51": "NSEC3PARAM",
         "52": "TLSA", "64": "SVCB", "65": "HTTPS", "99": "SPF", "249": "TKEY", "250": "TSIG", "251": "IXFR",
         "252": "AXFR", "255": "ANY", "256": "URI", "257": "CAA"}


@dataclass
class Expected:
    """What the tables say of one capture."""

    sni: dict = field(default_factory=dict)  # tuple -> text
    ja3: dict = field(default_factory=dict)
    ja4: dict = field(default_factory=dict)
    dns: dict = field(default_factory=dict)  # frame -> Message


@dataclass
class Message:
    """A DNS message; "" is what tshark does not tell, or a name that cannot be read."""

    kind: str  # "query", "answer"
    name: str
    type: str
    code: str
    transport: str = ""
    ends: frozenset = frozenset()  # the two addresses


def key_of(protocol, source, source_port, target, target_port):
    return tables.tuple_key(protocol, source, source_port, target, target_port)[0]


def add_hello(expected, row):
    key = key_of("tcp", row["src"], row["sport"], row["dst"], row["dport"])
    expected.sni[key] = row["sni"].split("|")[-1] or expected.sni.get(key, "")
    if row["ja3"]:
        expected.ja3.setdefault(key, row["ja3"].split("|")[0])


def add_message(expected, row):
    name, dns_type = row["qname"].split("|")[0], row["qtype"].split("|")[0]
    if "|" in row["response"] or not name:
        return  # several messages in a frame, of which a line shows one; or no message that tshark could read
    code = row["rcode"] if row["response"] == "1" else ""
    ends = frozenset((row["src"], row["dst"]))
    kind = "answer" if row["response"] == "1" else "query"
    expected.dns[int(row["frame"])] = Message(kind, *their_question(name, dns_type),
                                              RCODES[int(code)] if code and int(code) < len(RCODES) else "",
                                              row["transport"], ends)


def their_question(name, dns_type):
    if UNREADABLE.fullmatch(name):
        return "", ""
    return "." if name == "<Root>" else name, TYPES.get(dns_type, f"TYPE{dns_type}")


def read_expected(captures):
    """{file: Expected}"""
    expected = defaultdict(Expected)
    for row in tables.read_rows(captures / "tshark-oracle" / "tls_hello.tsv"):
        if row["transport"] == "tcp" and row["src"] and CLIENT_HELLO in row["handshake_types"].split("|"):
            add_hello(expected[row["file"]], row)
    for row in tables.read_rows(captures / "tshark-oracle" / "dns.tsv"):
        add_message(expected[row["file"]], row)
    for snapshot in sorted((captures / "ja4").glob("*.expected/rust.*.snap")):
        expected["ja4/" + snapshot.parent.name.removesuffix(".expected")].ja4.update(read_ja4(snapshot))
    return dict(expected)


def read_ja4(path):
    """{tuple: JA4} of the TCP streams in a snapshot of FoxIO's tests."""
    streams = {}
    for text in path.read_text(encoding="utf-8").split("- stream:")[1:]:
        stream = dict(re.findall(r"^  (\w+): (\S+)$", text, re.MULTILINE))
        if stream.get("transport") == "tcp" and "ja4" in stream:
            key = key_of("tcp", stream["src"], stream["src_port"], stream["dst"], stream["dst_port"])
            streams[key] = stream["ja4"]
    return streams


def run_capture(captures, name):
    """(flows, {frame: Message} of the packet lines, frames of which lines say only that they are fragments)."""
    with tempfile.TemporaryDirectory(prefix="netscope-test-") as folder:
        export = Path(folder) / "flows.json"
        result = sensor.run("-r", captures / name, "--flow-timeout-s", 0, "--export-json", export, "--report", "none",
                            "--packets", "always", timeout=300)
        if result.returncode not in (sensor.DONE, sensor.TRUNCATED) or sensor.finding(result.stderr):
            raise RuntimeError(f"{name}: exit {result.returncode}: {result.stderr.decode(errors='replace')[-500:]}")
        return sensor.load_json(export), *read_lines(result.stdout.decode())


def read_lines(text):
    lines = [line for line in text.splitlines() if line[:1].isdigit()]
    messages = {int(found[1]): parse_message(found[2], found[3], found[4]) for found in map(LINE.match, lines) if found}
    return messages, {int(found[1]) for found in map(FRAGMENT.match, lines) if found}


def parse_message(kind, dns_type, rest):
    answer = ANSWER.match(rest) if kind == "answer" else None
    name, code = (answer[1], answer[2]) if answer else (rest or "", "")
    return Message(kind, "", "", code) if dns_type == NO_NAME else Message(kind, name, dns_type, code)


def tls_of(flows):
    """{measure: {tuple: text}}: of several flows of a tuple the name of the last, the fingerprints of the first."""
    found = {"sni": {}, "ja3": {}, "ja4": {}}
    for flow in sorted(flows, key=lambda flow: float(flow["first_seen"])):
        key = tables.flow_key(flow)[0] if flow["app"] == "tls" else None
        for name in found if key else ():
            if flow[name]:
                found[name][key] = flow[name] if name == "sni" else found[name].get(key, flow[name])
    return found


def dns_of(flows):
    """{(protocol, addresses): [(name, code)]} of flows."""
    found = defaultdict(list)
    for flow in flows:
        if flow["app"] == "dns":
            ends = frozenset((flow["endpoint_a"]["ip"], flow["endpoint_b"]["ip"]))
            found[flow["protocol"], ends].append((flow["dns_query"], flow["dns_rcode"]))
    return found


def their_characters(name):
    """tshark shows what no terminal may print as C does, and bytes that are no UTF-8 as U+FFFD."""
    return re.sub(r"\\(?:[0-3][0-7]{2}|[rntabfv])",
                  lambda escape: C_ESCAPES.get(escape[0]) or chr(int(escape[0][1:], 8)), name)


def our_characters(name):
    """RFC 4343's: \\DDD a byte, a backslash before what would be taken for something else."""
    plain = re.sub(rb"\\(?:(\d{3})|(.))", lambda escape: bytes([int(escape[1])]) if escape[1] else escape[2],
                   name.encode())
    return plain.decode(errors="replace")


def same_name(theirs, ours):
    return theirs == ours or their_characters(theirs) == our_characters(ours)


def same(theirs, ours):
    return (ours is not None and (theirs.kind, theirs.type) == (ours.kind, ours.type)
            and same_name(theirs.name, ours.name) and theirs.code in ("", ours.code))


def in_flow(theirs, flows):
    """Where the message took several segments, or fragments."""
    return any(same_name(theirs.name, name) and theirs.code in ("", code)
               for name, code in flows.get((theirs.transport, theirs.ends), ()))


def compare_dns(expected, lines, fragments, flows):
    differing = {}
    for frame, theirs in expected.items():
        ours = lines.get(frame)
        in_parts = ours is None and (theirs.transport == "tcp" or frame in fragments)
        if not same(theirs, ours) and not (in_parts and in_flow(theirs, flows)):
            differing[f"frame {frame}"] = f"tshark {theirs}, netscope {ours}"
    return len(expected) - len(differing), differing


def compare_texts(expected, found):
    differing = {tables.tuple_text(key): f"tshark {text!r}, netscope {found.get(key)!r}"
                 for key, text in expected.items() if found.get(key, "") != text}
    return len(expected) - len(differing), differing


def compare_file(captures, name, expected):
    """{measure: (equal, {place: what differs})}"""
    flows, lines, fragments = run_capture(captures, name)
    found = tls_of(flows)
    outcome = {measure: compare_texts(getattr(expected, measure), found[measure]) for measure in found}
    outcome["dns"] = compare_dns(expected.dns, lines, fragments, dns_of(flows))
    return outcome


def read_explained():
    """{(file, measure, place): reason}"""
    return {(row["file"], row["measure"], row["place"]): row["reason"] for row in tables.read_rows(EXPLAINED)}


def judge(outcomes, explained):
    """({measure: (equal, explained, all)}, problems)."""
    equal, excused, differing, used, problems = Counter(), Counter(), Counter(), set(), []
    for name, outcome in outcomes.items():
        for measure, (same_here, different) in outcome.items():
            equal[measure] += same_here
            for place, text in different.items():
                reasons = {(name, measure, place), (name, measure, "*"), (name, "*", "*")} & explained.keys()
                used |= reasons
                (excused if reasons else differing)[measure] += 1
                if not reasons:
                    problems.append(f"{name}\t{measure}\t{place}\t{text}: not in {EXPLAINED.name}")
    problems += [f"{' '.join(row)}: explained, but nothing differs"
                 for row in explained.keys() - used if row[0] in outcomes]
    return {measure: (equal[measure], excused[measure], equal[measure] + excused[measure] + differing[measure])
            for measure in BARS}, problems


def compare_all(arguments):
    expected = {name: tables_of for name, tables_of in sorted(read_expected(arguments.captures).items())
                if arguments.only in name}
    outcomes = comparing.run_all(arguments, list(expected),
                                 lambda captures, name: compare_file(captures, name, expected[name]))
    if arguments.list_differences:
        for name, outcome in outcomes.items():
            for measure, (_, different) in outcome.items():
                for place, text in different.items():
                    print(f"{name}\t{measure}\t{place}\t{text}")
    shares, problems = judge(outcomes, read_explained())
    for measure, (equal, excused, total) in shares.items():
        print(f"FIGURE: {measure}: {equal} of {total} equal ({equal / max(total, 1):.2%}), {excused} explained")
    missed = [f"{measure}: below {BARS[measure]:.1%}" for measure, (equal, excused, total) in shares.items()
              if equal + excused < BARS[measure] * total]
    return problems + missed, outcomes


if __name__ == "__main__":
    sys.exit(comparing.main(compare_all, "Compares netscope's names with those of tshark and of JA4's tools.",
                            "no names were compared"))
