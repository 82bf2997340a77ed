"""An independent reader and writer of pcap and pcapng, to check NetScope's against.

It shares nothing with the sensor: plain struct unpacking of the published formats. Frames are
(time_ns, wire length, bytes, link type), the time None where the file has none; a file that ends in the middle gives every whole frame.
"""

import gzip
import struct
import subprocess
from dataclasses import dataclass

PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

ETHERNET = 1


class NotACapture(Exception):
    """The bytes are neither pcap nor pcapng."""


@dataclass(frozen=True)
class Frame:
    time_ns: int | None
    length: int
    content: bytes
    link_type: int


def read_frames(path):
    """Every whole frame of a pcap or pcapng file, compressed or not."""
    with open(path, "rb") as file:
        content = file.read()
    if content[:2] == GZIP_MAGIC:
        content = gzip.decompress(content)
    elif content[:4] == ZSTD_MAGIC:
        content = subprocess.run(["zstd", "-dc"], input=content, stdout=subprocess.PIPE, check=True).stdout
    if content[:4] in PCAP_MAGICS:
        return list(_pcap_frames(content))
    if content[:4] == PCAPNG_MAGIC:
        return list(_pcapng_frames(content))
    raise NotACapture(path)


def _pcap_frames(content):
    order, nanoseconds_per_tick = PCAP_MAGICS[content[:4]]
    if len(content) < 24:
        return
    link_type = struct.unpack_from(order + "I", content, 20)[0] & 0xFFFF
    offset = 24
    while offset + 16 <= len(content):
        seconds, fraction, captured, length = struct.unpack_from(order + "IIII", content, offset)
        offset += 16
        if offset + captured > len(content):
            return
        time_ns = seconds * 1_000_000_000 + fraction * nanoseconds_per_tick
        yield Frame(time_ns, length, content[offset : offset + captured], link_type)
        offset += captured


@dataclass
class _Interface:
    link_type: int
    snaplen: int
    ticks_per_second: int = 1_000_000
    offset_seconds: int = 0

    def time_ns(self, ticks):
        return self.offset_seconds * 1_000_000_000 + ticks * 1_000_000_000 // self.ticks_per_second


def _pcapng_frames(content):
    order, offset, interfaces = "<", 0, []
    while offset + 12 <= len(content):
        kind = content[offset : offset + 4]
        if kind == PCAPNG_MAGIC:
            order = "<" if content[offset + 8 : offset + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        number, total = struct.unpack_from(order + "II", content, offset)
        if total < 12 or offset + total > len(content):
            return
        body = content[offset + 8 : offset + total - 4]
        if number == 1:
            interfaces.append(_interface(order, body))
        elif number in (2, 3, 6):
            yield _packet(order, number, body, interfaces)
        offset += total


def _interface(order, body):
    link_type, _, snaplen = struct.unpack_from(order + "HHI", body, 0)
    interface = _Interface(link_type, snaplen)
    for code, value in _options(order, body[8:]):
        if code == 9 and len(value) >= 1:
            base, exponent = (2, value[0] & 0x7F) if value[0] & 0x80 else (10, value[0])
            interface.ticks_per_second = base**exponent
        elif code == 14 and len(value) == 8:
            interface.offset_seconds = struct.unpack(order + "q", value)[0]
    return interface


def _options(order, body):
    offset = 0
    while offset + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, offset)
        if code == 0:
            return
        yield code, body[offset + 4 : offset + 4 + length]
        offset += 4 + (length + 3) // 4 * 4


def _packet(order, number, body, interfaces):
    if number == 3:
        length = struct.unpack_from(order + "I", body, 0)[0]
        interface = interfaces[0]
        captured = min(length, len(body) - 4, interface.snaplen or length)
        return Frame(None, length, body[4 : 4 + captured], interface.link_type)
    if number == 2:
        index, _, high, low, captured, length = struct.unpack_from(order + "HHIIII", body, 0)
    else:
        index, high, low, captured, length = struct.unpack_from(order + "IIIII", body, 0)
    interface = interfaces[index]
    time_ns = interface.time_ns(high << 32 | low)
    return Frame(time_ns, length, body[20 : 20 + captured], interface.link_type)


def pcap_header(link_type=ETHERNET, snaplen=262144):
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snaplen, link_type)


def pcap_record(time_ns, content, length=None, captured=None):
    """One record; `captured` lies about the length of `content` when a test wants that."""
    captured = len(content) if captured is None else captured
    length = len(content) if length is None else length
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return struct.pack("<IIII", seconds & 0xFFFFFFFF, nanoseconds, captured, length) + content


def write_pcap(path, frames, link_type=ETHERNET):
    """`frames` are (time_ns, bytes); nanosecond resolution."""
    with open(path, "wb") as file:
        file.write(pcap_header(link_type))
        for time_ns, content in frames:
            file.write(pcap_record(time_ns, content))


def udp_frame(source, target, source_port, target_port, payload=b""):
    """An Ethernet frame with IPv4 and UDP; addresses as dotted text, checksums right or absent."""
    udp = struct.pack(">HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    return _ipv4_frame(source, target, 17, udp)


def fragments(frame, size, number):
    """The datagram of an Ethernet frame in parts of `size` bytes of payload."""
    header, payload = frame[14:34], frame[34:]
    for at in range(0, len(payload), size):
        part, more = payload[at:at + size], at + size < len(payload)
        place = at // 8 | (0x2000 if more else 0)
        yield frame[:14] + header[:2] + struct.pack(">HHH", 20 + len(part), number, place) + header[8:] + part


def tcp_frame(source, target, ports, sequence=(0, 0), flags=0x10, payload=b""):
    """`ports` is (source, target), `sequence` is (sequence, acknowledgement)."""
    tcp = struct.pack(">HHIIBBHHH", *ports, *sequence, 5 << 4, flags, 65535, 0, 0) + payload
    return _ipv4_frame(source, target, 6, tcp)


def _ipv4_frame(source, target, protocol, payload):
    ends = bytes(int(part) for part in (source + "." + target).split("."))
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + ends
    checksum = _internet_checksum(header)
    header = header[:10] + struct.pack(">H", checksum) + header[12:]
    ethernet = b"\x02\x00\x00\x00\x00\x02" + b"\x02\x00\x00\x00\x00\x01" + b"\x08\x00"
    return ethernet + header + payload


def _internet_checksum(content):
    total = sum(struct.unpack(f">{len(content) // 2}H", content))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
