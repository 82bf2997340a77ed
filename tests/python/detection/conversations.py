"""What hosts say to each other: connections, lookups, probes, as packets of a Traffic."""

import zlib

from detection import frames
from detection.frames import ACK, DATA, FIN_ACK, RST, RST_ACK, SYN, SYN_ACK

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: target\r\nAccept: text/plain\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + b"x" * 400
RETRIES_S = (0, 1, 3, 7)  # when a client sends its SYN that nobody answers


def number_of(*things):
    """The same for the same things, in every run."""
    return zlib.crc32(repr(things).encode())


class Ports:
    """Source ports of clients, each a new one until it comes round."""

    def __init__(self, first=32768, last=60999):
        self._first, self._count, self._next = first, last - first + 1, 0

    def take(self):
        self._next += 1
        return self._first + self._next % self._count


class Connection:
    """One TCP connection: each method adds what it says and moves its own clock on."""

    def __init__(self, traffic, seconds, client, server, rtt=0.001):
        """`client` and `server` are (address, port)."""
        self._traffic, self.clock, self._rtt = traffic, seconds, rtt
        self._ends = client[0], server[0], client[1], server[1]
        self._back = server[0], client[0], server[1], client[1]
        self._sent = number_of(client, server) & 0x3FFFFFFF
        self._got = number_of(server, client) & 0x3FFFFFFF

    def from_client(self, flags, payload=b""):
        self._traffic.add(self.clock, frames.tcp(*self._ends, flags, self._sent & 0xFFFFFFFF,
                                                 self._got & 0xFFFFFFFF if flags & ACK else 0, payload))
        self._sent += len(payload) + ((flags & 3) != 0)

    def from_server(self, flags, payload=b""):
        self._traffic.add(self.clock, frames.tcp(*self._back, flags, self._got & 0xFFFFFFFF,
                                                 self._sent & 0xFFFFFFFF if flags & ACK else 0, payload))
        self._got += len(payload) + ((flags & 3) != 0)

    def wait(self, seconds):
        self.clock += seconds
        return self

    def open(self):
        self.from_client(SYN)
        self.wait(self._rtt).from_server(SYN_ACK)
        self.wait(0.0001).from_client(ACK)
        return self

    def ask(self, request=REQUEST, response=RESPONSE):
        self.wait(0.0002).from_client(DATA, request)
        self.wait(self._rtt).from_server(DATA, response)
        self.wait(0.0002).from_client(ACK)
        return self

    def close(self):
        self.wait(0.0005).from_client(FIN_ACK)
        self.wait(self._rtt).from_server(FIN_ACK)
        self.wait(0.0001).from_client(ACK)
        return self

    def keepalive(self, answered=True):
        """The bare ACK of an idle connection: one number back, nothing in it."""
        self._sent -= 1
        self.from_client(ACK)
        self._sent += 1
        if answered:
            self.wait(self._rtt).from_server(ACK)
        return self


def visit(traffic, seconds, client, server, rtt=0.001):
    """A whole short connection: 9 packets."""
    return Connection(traffic, seconds, client, server, rtt).open().ask().close()


def refused(traffic, seconds, client, server, flags=SYN, rtt=0.001):
    """A probe that a reset answers."""
    number = number_of(client, server) & 0x3FFFFFFF
    traffic.add(seconds, frames.tcp(client[0], server[0], client[1], server[1], flags, number,
                                    1 if flags & ACK else 0))
    back = (RST, 1, 0) if flags & ACK else (RST_ACK, 0, number + 1)
    traffic.add(seconds + rtt, frames.tcp(server[0], client[0], server[1], client[1], *back))


def unanswered(traffic, seconds, client, server, retries=RETRIES_S):
    """A connect() that nobody answers."""
    frame = frames.tcp(client[0], server[0], client[1], server[1], SYN, 1000 + client[1])
    for later in retries:
        traffic.add(seconds + later, frame)


def probe(traffic, seconds, client, server, flags):
    """One TCP packet, whatever comes of it."""
    traffic.add(seconds, frames.tcp(client[0], server[0], client[1], server[1], flags, 77 + client[1],
                                    1 if flags & ACK else 0))


def exchange(traffic, seconds, client, server, payloads, rtt=0.001):
    """A datagram and its answer; payloads are (asked, answered), answered None = nobody does."""
    traffic.add(seconds, frames.udp(client[0], server[0], client[1], server[1], payloads[0]))
    if payloads[1] is not None:
        traffic.add(seconds + rtt, frames.udp(server[0], client[0], server[1], client[1], payloads[1]))


def lookup(traffic, seconds, client, server, name, value=None, rtt=0.001):
    """A DNS query and its answer: an address, or that there is no such name."""
    number = number_of(client, name, seconds) & 0xFFFF
    exchange(traffic, seconds, client, (server, 53),
             (frames.dns_query(number, name), frames.dns_answer(number, name, value)), rtt)


def closed_port(traffic, seconds, client, server, payload=b"", rtt=0.001):
    """A datagram that the target's system refuses by ICMP."""
    frame = frames.udp(client[0], server[0], client[1], server[1], payload)
    traffic.add(seconds, frame)
    traffic.add(seconds + rtt, frames.unreachable(frame))
