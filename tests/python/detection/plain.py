"""Plain counting: what the documented thresholds say of a capture, read packet by packet and slowly, without a sketch,
a bound or a tick. It shares nothing with the sensor. Not an oracle in every case: it knows no direction that is not
seen, no fragments, no tunnels, and remembers whom a source knew since the capture began."""

import ipaddress
import struct
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from detection.directions import network_of

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
WAIT_S, SCAN_WINDOWS, SILENCE_S = 2.0, ((60, 25), (300, 60)), 900
SCAN_PORTS = 4  # different ports that make one scan of many sweeps
AMPLIFIERS = {17, 19, 53, 69, 111, 123, 137, 161, 389, 520, 1900, 3283, 3702, 5093, 5353, 5683, 10001, 11211}
LOCAL = [ipaddress.ip_network(text) for text in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")]


@dataclass(frozen=True)
class Packet:
    seconds: float
    protocol: int
    source: bytes
    target: bytes
    source_port: int = 0
    target_port: int = 0
    flags: int = 0
    size: int = 0
    quoted: object = None  # the packet that an ICMP error is about

    def key(self):
        ends = (self.source, self.source_port), (self.target, self.target_port)
        return self.protocol, *sorted(ends)


def packet_of(seconds, content):
    """The packet of an IP header and what follows; None = not one that counts."""
    if len(content) >= 20 and content[0] >> 4 == 4:
        head, size = (content[0] & 15) * 4, struct.unpack_from(">H", content, 2)[0]
        if struct.unpack_from(">H", content, 6)[0] & 0x1FFF:
            return None
        return _transport(seconds, content[9], content[12:16], content[16:20], content[head : size or None])
    if len(content) >= 40 and content[0] >> 4 == 6:
        return _transport(seconds, content[6], content[8:24], content[24:40], content[40:])
    return None


def _transport(seconds, protocol, source, target, content):
    if protocol == 6 and len(content) >= 14:
        ports = struct.unpack_from(">HH", content)
        size = max(0, len(content) - (content[12] >> 4) * 4)
        return Packet(seconds, 6, source, target, *ports, flags=content[13] & 0x3F, size=size)
    if protocol == 17 and len(content) >= 8:
        return Packet(seconds, 17, source, target, *struct.unpack_from(">HH", content), size=len(content) - 8)
    if protocol in (1, 58) and len(content) >= 8:
        kind, code, identifier = struct.unpack_from(">BBxxH", content)
        if kind in ((8, 0) if protocol == 1 else (128, 129)):
            return Packet(seconds, 1, source, target, identifier, identifier, flags=kind in (8, 128))
        if kind == (3 if protocol == 1 else 1):
            return Packet(seconds, 0, source, target, code, quoted=packet_of(seconds, content[8:] + bytes(20)))
    return None


def packets_of(frames):
    """Those of capture_file.Frame that count."""
    for frame in frames:
        packet = packet_of((frame.time_ns or 0) / 1e9, network_of(frame.link_type, frame.content))
        if packet is not None:
            yield packet


def is_inside(raw):
    value = ipaddress.ip_address(raw)
    return any(value in network for network in LOCAL if network.version == value.version)


def is_for_many(raw):
    value = ipaddress.ip_address(raw)
    return value.is_multicast or raw[-1:] == b"\xff" and len(raw) == 4 or raw == b"\xff" * 4


@dataclass
class Contact:
    """A first word; `failed_at` is when it was refused or its wait was over, None = answered."""

    seconds: float
    source: bytes
    target: bytes
    port: int
    protocol: int
    failed_at: float | None = None
    is_lone_ack: bool = False  # says nothing while nobody refuses it: an idle connection's word looks the same


@dataclass
class _Attempt:
    contact: Contact | None
    first: Packet
    settled: bool = False
    two_way: bool = False  # of one that is no contact


@dataclass
class Peak:
    """The most that was seen of one condition, and whether its threshold was reached."""

    figure: float = 0
    raised: bool = False


@dataclass
class Findings:
    packets: int = 0
    syns: int = 0
    peaks: dict = field(default_factory=lambda: defaultdict(Peak))  # (kind, who): the figures

    def note(self, key, figure, raised):
        peak = self.peaks[key]
        peak.figure, peak.raised = max(peak.figure, figure), peak.raised or raised

    def raised(self):
        return {key for key, peak in self.peaks.items() if peak.raised}

    def most(self, kind):
        """(figure, who) of the highest peak of a kind."""
        return max(((peak.figure, key[1]) for key, peak in self.peaks.items() if key[0] == kind),
                   default=(0, None))


def count(packets):
    """The findings of a capture's packets in the order of time."""
    findings, contacts = Findings(), _Contacts()
    floods = _Floods(findings)
    for packet in packets:
        findings.packets += 1
        findings.syns += packet.protocol == 6 and packet.flags & (SYN | ACK) == SYN
        contacts.add(packet)
        floods.add(packet, contacts)
    floods.finish()
    _judge_scans(contacts.finish(), findings)
    return findings


class _Contacts:
    """First contacts of each source with each (target, port), and what came of them."""

    def __init__(self):
        self._attempts, self._known, self._all = {}, set(), []
        self._last_seconds = 0

    def add(self, packet):
        self._last_seconds = packet.seconds
        if packet.protocol == 0:
            self._refuse(packet.quoted, packet.seconds)
            return
        key = packet.key()
        attempt = self._attempts.get(key)
        if attempt is None or _starts_anew(packet, attempt):
            self._attempts[key] = self._begin(packet)
        elif not attempt.settled:
            self._settle(attempt, packet)
        elif attempt.contact is None and not attempt.two_way and packet.source != attempt.first.source:
            self._join(attempt)

    def asked(self, packet):
        """Whether the target of a packet spoke first to its source, by the ports of the packet."""
        attempt = self._attempts.get(packet.key())
        return attempt is not None and attempt.first.source == packet.target

    def _begin(self, packet):
        contact, about = None, (packet.source, packet.target, packet.target_port, packet.protocol)
        if _initiates(packet) and about not in self._known and not is_for_many(packet.target):
            port = 0 if packet.protocol == 1 else packet.target_port
            contact = Contact(packet.seconds, packet.source, packet.target, port, packet.protocol,
                              packet.seconds + WAIT_S, packet.protocol == 6 and packet.flags == ACK)
            self._all.append(contact)
            self._known.add(about)
        return _Attempt(contact, packet, contact is None)

    def _join(self, attempt):
        """A conversation that was captured amid, both ways: who has the higher port had made a contact."""
        attempt.two_way = True
        first = attempt.first
        if first.protocol == 6 and not first.flags & RST:
            ends = sorted(((first.source_port, first.source), (first.target_port, first.target)))
            about = ends[1][1], ends[0][1], ends[0][0], 6
            if about not in self._known:
                self._known.add(about)
                self._all.append(Contact(first.seconds, *about))

    @staticmethod
    def _settle(attempt, packet):
        back = packet.source != attempt.first.source or packet.source_port != attempt.first.source_port
        if attempt.contact is None or packet.seconds > attempt.contact.failed_at:
            attempt.settled = True
        elif back and packet.protocol == 6 and packet.flags & RST:
            attempt.contact.failed_at, attempt.settled = packet.seconds, True
        elif back or (packet.protocol == 6 and packet.flags & (SYN | ACK | RST) == ACK
                      and attempt.first.flags & SYN):
            attempt.contact.failed_at, attempt.settled = None, True

    def _refuse(self, quoted, seconds):
        attempt = self._attempts.get(quoted.key()) if quoted is not None else None
        if attempt is not None and not attempt.settled and attempt.first.source == quoted.source:
            attempt.contact.failed_at, attempt.settled = min(seconds, attempt.contact.failed_at), True

    def finish(self):
        """All but those whose wait was not over when the capture ended, and lone ACKs that met silence."""
        return [contact for contact in self._all
                if contact.failed_at is None or contact.failed_at <= self._last_seconds
                and not (contact.is_lone_ack and contact.failed_at == contact.seconds + WAIT_S)]


def _starts_anew(packet, attempt):
    return packet.protocol == 6 and packet.flags & (SYN | ACK) == SYN and attempt.settled


def _initiates(packet):
    """A SYN, a datagram that is no answer of an amplifier, an echo request, or a TCP packet that carries nothing."""
    if packet.protocol == 6:
        return packet.flags & (SYN | ACK) == SYN or not packet.flags & (SYN | RST) and packet.size == 0
    if packet.protocol == 17:
        return packet.source_port not in AMPLIFIERS or packet.source_port == packet.target_port
    return packet.protocol == 1 and packet.flags == 1


def _judge_scans(contacts, findings):
    groups = defaultdict(list)
    for contact in contacts:
        groups["port_scan", contact.source, None].append((contact, (contact.target, contact.port)))
        groups["host_sweep", contact.source, contact.port].append((contact, contact.target))
    for kind, source, port in sorted(groups, key=lambda group: group[0]):  # sweeps first
        rows = groups[kind, source, port]
        rows.sort(key=lambda row: row[0].failed_at or row[0].seconds)
        who = (source, port)
        for window_s, threshold in SCAN_WINDOWS:
            _slide(findings, (f"{kind}_{window_s}", who), rows, window_s, threshold)
        _endure(findings, (f"{kind}_slow", who), rows, 250 if is_inside(source) else 100)
    _forget_explained(findings, groups)


def _forget_explained(findings, groups):
    """What lies on few ports is no port scan, and the sweeps of a port scanner are part of its scan."""
    for key in findings.raised():
        if key[0].startswith("port_scan") and not _has_many_ports(groups, key[1][0]):
            findings.peaks[key].raised = False
    scanners = {key[1][0] for key in findings.raised() if key[0].startswith("port_scan")}
    for key in findings.raised():
        if key[0].startswith("host_sweep") and key[1][0] in scanners:
            findings.peaks[key].raised = False


def _has_many_ports(groups, source):
    ports = {contact.port for contact, _ in groups["port_scan", source, None] if contact.failed_at is not None}
    return len(ports) >= SCAN_PORTS


def _slide(findings, key, rows, window_s, threshold):
    window, failed = deque(), Counter()
    for contact, what in rows:
        now = contact.failed_at or contact.seconds
        window.append((now, contact, what))
        if contact.failed_at is not None:
            failed[what] += 1
        while now - window[0][0] > window_s:
            _, old, what_of_old = window.popleft()
            if old.failed_at is not None:
                failed[what_of_old] -= 1
                if failed[what_of_old] == 0:
                    del failed[what_of_old]
        findings.note(key, len(failed), len(failed) >= threshold and 2 * len(failed) >= len(window))


def _endure(findings, key, rows, threshold):
    failed, known, last = set(), set(), None
    for contact, what in rows:
        if last is not None and contact.seconds - last > SILENCE_S:
            failed, known = set(), set()
        last = contact.seconds
        known.add(what)
        if contact.failed_at is not None:
            failed.add(what)
        findings.note(key, len(failed), len(failed) >= threshold and 10 * len(failed) >= 9 * len(known))


class _Floods:
    """Floods, by counts of whole seconds: five of them are a window."""

    def __init__(self, findings):
        self._findings, self._second = findings, None
        self._windows = deque(maxlen=5)
        self._handshakes = set()

    def add(self, packet, contacts):
        second = int(packet.seconds)
        if second != self._second:
            self._turn(second)
        now = self._windows[-1]
        if packet.protocol == 6 and packet.flags & (SYN | ACK) == SYN:
            now["syn", packet.target, packet.target_port][packet.source] += 1
            self._handshakes.add((packet.source, packet.source_port, packet.target, packet.target_port))
        elif packet.protocol == 6 and packet.flags & (SYN | RST | ACK) == ACK:
            self._complete(packet, now)
        elif packet.protocol == 6 and packet.flags & (SYN | ACK) == SYN | ACK or (
                packet.protocol == 17 and packet.source_port in AMPLIFIERS):
            if not contacts.asked(packet):
                now["unasked", packet.target, 0][packet.source] += 1
        if packet.protocol in (17, 1):
            now[packet.protocol, packet.target, 0][packet.source] += 1
            now[-packet.protocol, packet.source, 0][packet.target] += 1

    def _complete(self, packet, now):
        about = packet.source, packet.source_port, packet.target, packet.target_port
        if about in self._handshakes:
            self._handshakes.discard(about)
            now["done", packet.target, packet.target_port][packet.source] += 1

    def _turn(self, second):
        gap = 1 if self._second is None else min(second - self._second, 5)
        for _ in range(max(gap, 1)):
            if self._windows:
                self._judge()
            self._windows.append(defaultdict(Counter))
        self._second = second

    def finish(self):
        if self._windows:
            self._judge()

    def _sum(self, key):
        total = Counter()
        for window in self._windows:
            if key in window:
                total += window[key]
        return total

    def _judge(self):
        for key in list(self._windows[-1]):
            if key[0] == "syn":
                self._judge_syns(key)
            elif key[0] == "unasked":
                sources = self._windows[-1][key]
                figure = sum(sources.values())
                self._findings.note(("reflection", key[1:]), figure,
                                    figure >= 500 and len(sources) >= 10 or figure >= 5000)
            elif key[0] in (17, 1):
                self._judge_packets(key)

    def _judge_syns(self, key):
        sources, done = self._sum(key), self._sum(("done", *key[1:]))
        syns = sum(sources.values())
        open_still = syns - sum(done.values())
        many = len(sources) >= 50 or open_still >= 2000
        raised = many and open_still >= 200 and (2 * open_still >= syns or open_still >= 4000)
        self._findings.note(("syn_flood", key[1:]), open_still, raised)

    def _judge_packets(self, key):
        figure = sum(self._sum(key).values()) / 5
        answered = sum(self._sum((-key[0], *key[1:])).values()) / 5
        kind, threshold = ("udp_flood", 10_000) if key[0] == 17 else ("icmp_flood", 1000)
        self._findings.note((kind, key[1:]), figure, figure >= threshold and figure > 20 * answered)
