"""Splits a capture by direction: what the smaller endpoint of each pair sends, and what the other one sends."""

from pathlib import Path

import capture_file

# Where the network header begins, by link type.
LINKS = {0: 4, 1: 14, 12: 0, 14: 0, 101: 0, 108: 4, 113: 16, 228: 0, 229: 0, 276: 20}
TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")


def network_of(link_type, content):
    """What is in a frame from its IP header on; b"" = no IP."""
    offset = LINKS.get(link_type)
    if offset is None:
        return b""
    while link_type == 1 and content[offset - 2 : offset] in TAGS:
        offset += 4
    content = content[offset:]
    return content if content[:1] and content[0] >> 4 in (4, 6) else b""


def low_of(network):
    """Whether the sender is the smaller endpoint (address, port), of an IP packet; None = it is none."""
    if len(network) >= 24 and network[0] >> 4 == 4:
        source, target, ports, protocol = network[12:16], network[16:20], network[20:24], network[9]
    elif len(network) >= 44 and network[0] >> 4 == 6:
        source, target, ports, protocol = network[8:24], network[24:40], network[40:44], network[6]
    else:
        return None
    if source != target or protocol not in (6, 17):
        return source < target
    return ports[:2] <= ports[2:]


def split(path, folder):
    """The two files of a capture of one link type, written to the folder; none where there are several link types, or
    where one side says nothing. What is no IP packet is in both."""
    frames = capture_file.read_frames(path)
    sides = [low_of(network_of(frame.link_type, frame.content)) for frame in frames]
    if len({frame.link_type for frame in frames}) != 1 or True not in sides or False not in sides:
        return []
    made = []
    for name, other in (("low", False), ("high", True)):
        made.append(Path(folder) / f"{name}.pcap")
        with open(made[-1], "wb") as file:
            file.write(capture_file.pcap_header(frames[0].link_type))
            for frame, side in zip(frames, sides):
                if side is not other:
                    file.write(capture_file.pcap_record(frame.time_ns or 0, frame.content, frame.length))
    return made
