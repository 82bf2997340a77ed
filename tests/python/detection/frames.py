"""Ethernet frames and captures of made-up traffic, fast enough for millions of packets: plain struct, right checksums.

An address is an int (IPv4) or 16 bytes (IPv6), as address() gives it. Times are seconds from the begin of the capture.
"""

import ipaddress
import struct
from operator import itemgetter

from detection import directions

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
SYN_ACK, DATA, FIN_ACK, RST_ACK = SYN | ACK, PSH | ACK, FIN | ACK, RST | ACK
BEGIN_S = 1_700_000_000  # of every capture

ETHERNET = b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01"
ETHERNET4, ETHERNET6 = ETHERNET + b"\x08\x00", ETHERNET + b"\x86\xdd"
_IPV4 = struct.Struct(">BBHHHBBHII")
_IPV6 = struct.Struct(">IHBB16s16s")
_TCP = struct.Struct(">HHIIBBHHH")
_UDP = struct.Struct(">HHHH")
_IPV4_TCP = struct.Struct(">14sBBHHHBBHIIHHIIBBHHH")
_IPV4_UDP = struct.Struct(">14sBBHHHBBHIIHHHH")
_RECORD = struct.Struct("<IIII")
_FILE_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)

_sums = {}


def address(text):
    parsed = ipaddress.ip_address(text)
    return int(parsed) if parsed.version == 4 else parsed.packed


def text_of(value):
    return str(ipaddress.ip_address(value))


def _sum(payload):
    """Of 16-bit words, modulo 65535; remembered, for payloads are few."""
    if not payload:
        return 0
    known = _sums.get(payload)
    if known is None:
        known = int.from_bytes(payload + b"\0" * (len(payload) & 1), "big") % 65535
        if len(_sums) < 4096:
            _sums[payload] = known
    return known


def _ipv4_checksum(size, protocol, source, target):
    return 65535 - (0x4500 + size + 0x4000 + 0x4000 + protocol + source + target) % 65535


def tcp(source, target, source_port, target_port, flags, sequence=0, acknowledged=0, payload=b""):
    if not isinstance(source, int):
        return _ipv6_tcp(source, target, (source_port, target_port), flags, (sequence, acknowledged), payload)
    size = 40 + len(payload)
    total = (source + target + 6 + size - 20 + source_port + target_port + sequence + acknowledged + 0x5000 + flags
             + 65535 + _sum(payload))
    return _IPV4_TCP.pack(
        ETHERNET4, 0x45, 0, size, 0, 0x4000, 64, 6, _ipv4_checksum(size, 6, source, target), source, target,
        source_port, target_port, sequence, acknowledged, 0x50, flags, 65535, 65535 - total % 65535, 0) + payload


def udp(source, target, source_port, target_port, payload=b""):
    length = 8 + len(payload)
    if not isinstance(source, int):
        checksum = _pseudo6(source, target, 17, length) + source_port + target_port + length + _sum(payload)
        content = _UDP.pack(source_port, target_port, length, 65535 - checksum % 65535) + payload
        return _ipv6(source, target, 17, content)
    total = source + target + 17 + 2 * length + source_port + target_port + _sum(payload)
    return _IPV4_UDP.pack(
        ETHERNET4, 0x45, 0, 20 + length, 0, 0x4000, 64, 17, _ipv4_checksum(20 + length, 17, source, target), source,
        target, source_port, target_port, length, 65535 - total % 65535) + payload


def _ipv6_tcp(source, target, ports, flags, numbers, payload):
    length = 20 + len(payload)
    total = (_pseudo6(source, target, 6, length) + sum(ports) + sum(numbers) + 0x5000 + flags + 65535
             + _sum(payload))
    content = _TCP.pack(*ports, *numbers, 0x50, flags, 65535, 65535 - total % 65535, 0) + payload
    return _ipv6(source, target, 6, content)


def _pseudo6(source, target, protocol, length):
    return int.from_bytes(source, "big") + int.from_bytes(target, "big") + protocol + length


def _ipv6(source, target, protocol, content):
    return ETHERNET6 + _IPV6.pack(0x60000000, len(content), protocol, 64, source, target) + content


def ipv4(source, target, protocol, content):
    size = 20 + len(content)
    return ETHERNET4 + _IPV4.pack(0x45, 0, size, 0, 0x4000, 64, protocol,
                                  _ipv4_checksum(size, protocol, source, target), source, target) + content


def icmp(source, target, kind, code, rest, payload=b""):
    """ICMP of either version; `rest` is the second word of its header."""
    if not isinstance(source, int):
        length = 8 + len(payload)
        total = _pseudo6(source, target, 58, length) + (kind << 8) + code + rest + _sum(payload)
        return _ipv6(source, target, 58, struct.pack(">BBHI", kind, code, 65535 - total % 65535, rest) + payload)
    total = (kind << 8) + code + rest + _sum(payload)
    return ipv4(source, target, 1, struct.pack(">BBHI", kind, code, 65535 - total % 65535, rest) + payload)


def ping(source, target, identifier, number=1):
    return icmp(source, target, 8 if isinstance(source, int) else 128, 0, identifier << 16 | number, b"0123456789abcdef")


def pong(source, target, identifier, number=1):
    return icmp(source, target, 0 if isinstance(source, int) else 129, 0, identifier << 16 | number,
                b"0123456789abcdef")


def unreachable(frame, reporter=None):
    """What a closed port answers to an Ethernet frame; a `reporter` on the way says that the host is not there."""
    quoted = frame[14:]
    if frame[12:14] == b"\x08\x00":
        source, target = struct.unpack_from(">II", quoted, 12)
        return icmp(reporter or target, source, 3, 1 if reporter else 3, 0, quoted[:28])
    source, target = quoted[8:24], quoted[24:40]
    return icmp(reporter or target, source, 1, 3 if reporter else 4, 0, quoted[:48])


def arp(operation, sender, sender_mac, target, target_mac=b"\0" * 6):
    """An ARP packet: operation 1 asks, 2 answers; a gratuitous one asks for its own address."""
    link_target = b"\xff" * 6 if operation == 1 else target_mac
    return (link_target + sender_mac + b"\x08\x06"
            + struct.pack(">HHBBH6sI6sI", 1, 0x0800, 6, 4, operation, sender_mac, sender, target_mac, target))


def dns_name(name):
    return b"".join(bytes((len(part),)) + part.encode() for part in name.split(".")) + b"\0"


def dns_query(number, name, kind=1):
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + dns_name(name) + struct.pack(">HH", kind, 1)


def dns_answer(number, name, value=None, kind=1):
    """With an address, or without one: the name does not exist."""
    head = struct.pack(">HHHHHH", number, 0x8180 if value is not None else 0x8183, 1, value is not None, 0, 0)
    question = dns_name(name) + struct.pack(">HH", kind, 1)
    if value is None:
        return head + question
    return head + question + struct.pack(">HHHIHI", 0xC00C, 1, 1, 300, 4, value)


class Traffic:
    """The packets of one capture, added in any order."""

    def __init__(self):
        self._packets = []

    def __len__(self):
        return len(self._packets)

    def add(self, seconds, frame):
        self._packets.append((seconds, frame))

    def after(self, seconds):
        """Forgets what came before: the capture begins amid."""
        self._packets = [packet for packet in self._packets if packet[0] >= seconds]

    def packets(self):
        """(seconds, frame) in the order of time; those of equal time as they were added."""
        self._packets.sort(key=itemgetter(0))
        return self._packets

    def write(self, path):
        _write(path, self.packets())

    def write_directions(self, low, high):
        """The packets of the smaller endpoint of each pair in one file, those of the other in another one; what is no
        IP packet goes into both."""
        packets = self.packets()
        sides = [directions.low_of(frame[14:]) for _, frame in packets]
        _write(low, (packet for packet, side in zip(packets, sides) if side is not False))
        _write(high, (packet for packet, side in zip(packets, sides) if side is not True))


def _records(packets):
    for seconds, frame in packets:
        time_ns = int(seconds * 1e9)
        yield _RECORD.pack(BEGIN_S + time_ns // 1_000_000_000, time_ns % 1_000_000_000, len(frame), len(frame))
        yield frame


def _write(path, packets):
    with open(path, "wb", buffering=1 << 20) as file:
        file.write(_FILE_HEADER)
        file.writelines(_records(packets))
