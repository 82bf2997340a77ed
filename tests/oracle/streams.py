"""How well the TCP quality of an export agrees with what tshark says of the same streams.

A stream is a five-tuple here: tshark and NetScope cut a reused tuple at other places now and then, so counters of all
connections of a tuple are added up. A handshake's RTT is compared where both have a connection that begins with the
same packet and tshark shows an RTT: it does so only beside a segment that acknowledges something it has seen.
"""

from dataclasses import dataclass, field
from pathlib import Path

import tables

EXPLAINED = Path(__file__).with_name("explained_tcp.tsv")
REQUIRED = {"streams with any event": 0.985, "streams": 0.995, "handshakes": 0.995}
NEAR_SECONDS = 1e-6 + 1e-9  # a microsecond, and what a double loses
HANDSHAKE = "handshake"


@dataclass
class Share:
    equal: int = 0
    total: int = 0

    def count(self, equal):
        self.equal += equal
        self.total += 1

    @property
    def share(self):
        return self.equal / self.total if self.total else 1.0

    def __str__(self):
        return f"{self.equal} of {self.total} ({self.share:.3%})"


@dataclass
class Agreement:
    """All files together."""

    shares: dict = field(default_factory=lambda: {name: Share() for name in REQUIRED})
    counters: dict = field(default_factory=lambda: {name: Share() for name in tables.QUALITY})
    sums: dict = field(default_factory=lambda: {name: [0, 0] for name in tables.QUALITY})
    differing: dict = field(default_factory=dict)  # (file, tuple) -> what differs

    def add(self, name, theirs, ours):
        """`theirs` and `ours`: {tuple key: {counter: n}} of one file."""
        for key, expected in theirs.items():
            found = ours.get(key)
            if found is None:
                continue  # the comparison of tuples says so
            self._count(expected, found)
            differences = [f"{counter}: tshark {expected[counter]}, netscope {found[counter]}"
                           for counter in tables.QUALITY if expected[counter] != found[counter]]
            if differences:
                self.differing[name, tables.tuple_text(key)] = "; ".join(differences)

    def _count(self, expected, found):
        self.shares["streams"].count(expected == found)
        if any(expected.values()) or any(found.values()):
            self.shares["streams with any event"].count(expected == found)
        for counter in tables.QUALITY:
            if expected[counter] or found[counter]:
                self.counters[counter].count(expected[counter] == found[counter])
            tables.add(self.sums[counter], [expected[counter], found[counter]])

    def add_handshakes(self, name, theirs, ours):
        """`theirs` and `ours`: {(tuple key, first stamp in ns): seconds or None} of one file."""
        for key, expected in theirs.items():
            found = ours.get(key)
            if key not in ours or expected is None:
                continue
            near = found is not None and abs(expected - found) <= NEAR_SECONDS
            self.shares["handshakes"].count(near)
            if not near:
                place = f"{HANDSHAKE} {tables.tuple_text(key[0])}"
                self.differing[name, place] = f"tshark {expected} s, netscope {found} s"

    def problems(self):
        for name, required in REQUIRED.items():
            if self.shares[name].share < required:
                yield f"tcp: {name}: only {self.shares[name]} equal to tshark's, {required:.1%} must be"

    def figures(self):
        for name, share in self.shares.items():
            yield f"tcp: {name} equal to tshark's: {share}"
        for name, share in self.counters.items():
            theirs, ours = self.sums[name]
            yield f"{name}: {share} of the tuples with any agree; sums tshark {theirs}, netscope {ours}"


def agreement(captures, outcomes):
    """Of runs that hold `name`, `quality` and `handshakes` (tables.flow_quality() and flow_handshakes())."""
    quality, handshakes = tables.read_quality(captures), tables.read_handshakes(captures)
    found = Agreement()
    for outcome in outcomes:
        found.add(outcome.name, quality.get(outcome.name, {}), outcome.quality)
        found.add_handshakes(outcome.name, handshakes.get(outcome.name, {}), outcome.handshakes)
    return found
