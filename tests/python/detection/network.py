"""Ordinary traffic of networks: failover, reused addresses, names in storms, what somebody else's flood sends back,
captures that begin amid or see one way. As cluster.py; BENIGN names the scenes."""

import random

from detection import frames
from detection.conversations import Connection, Ports, closed_port, exchange, lookup, refused, unanswered, visit
from detection.frames import ACK, RST, RST_ACK, SYN_ACK, Traffic, address, dns_answer, dns_query

DAY_S = 86400
RESOLVER = address("10.96.0.10")
DISCOVER = b"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\n\r\n"


def hardware(number):
    return b"\x02\xaa" + number.to_bytes(4, "big")


def vrrp(source, priority):
    body = bytes((0x21, 7, priority, 1, 0, 1)) + b"\x7a\x00" + address("10.0.0.1").to_bytes(4, "big") + bytes(8)
    return frames.ipv4(source, address("224.0.0.18"), 112, body)


def vrrp_failover():
    """A router is gone for 3.5 s in the second minute; its second takes the address. 200 clients' SYNs of that time
    are answered when they come again."""
    traffic, chance, ports = Traffic(), random.Random(6), Ports()
    first, second, shared = address("10.0.0.2"), address("10.0.0.3"), address("10.0.0.1")
    for second_s in range(180):
        if not 90 <= second_s < 93:
            traffic.add(second_s + 0.3, vrrp(first if second_s < 90 else second, 200 if second_s < 90 else 100))
    for number in range(3):
        traffic.add(93.4 + number * 0.1, frames.arp(1, shared, hardware(2), shared))
    for number in range(9000):
        seconds = number * 0.02
        client = address("10.0.2.1") + chance.randrange(200), ports.take()
        server = address("203.0.113.1") + chance.randrange(250), 443
        if 90 <= seconds < 93.5:
            traffic.add(seconds, frames.tcp(client[0], server[0], client[1], 443, frames.SYN, 5))
            seconds += 1 if seconds > 92.6 else 3
            if seconds < 93.5:
                seconds += 3
        visit(traffic, seconds, client, server, rtt=0.02)
    return traffic


def nat_failover():
    """The same seen behind the router's own translation: one address, all that fails is its."""
    traffic, chance, ports = Traffic(), random.Random(7), Ports(1024, 65000)
    outside = address("198.51.100.1")
    for number in range(9000):
        seconds = number * 0.02
        client, server = (outside, ports.take()), (address("203.0.113.1") + chance.randrange(250), 443)
        if 90 <= seconds < 92.5:
            traffic.add(seconds, frames.tcp(client[0], server[0], client[1], 443, frames.SYN, 5))
            seconds += 3
        visit(traffic, seconds, client, server, rtt=0.02)
    return traffic


def reused_addresses():
    """Pods ask for 169.254.1.1, which the node answers for; an address comes to another pod within a second, which
    resets what was its predecessor's."""
    traffic, chance, ports = Traffic(), random.Random(8), Ports()
    gateway, node = address("169.254.1.1"), b"\xee" * 6
    for number in range(400):
        seconds, pod = number * 1.5, address("10.244.5.2") + number % 25
        mine = hardware(1000 + number)
        traffic.add(seconds, frames.arp(1, pod, mine, gateway))
        traffic.add(seconds + 0.0002, frames.arp(2, gateway, node, pod, mine))
        traffic.add(seconds + 0.1, frames.arp(1, pod, mine, pod))
        for _ in range(3):
            visit(traffic, seconds + 0.5, (pod, ports.take()), (address("10.0.0.60") + chance.randrange(5), 5432))
        client = address("10.244.6.2") + chance.randrange(20)
        late = Connection(traffic, seconds + 0.4, (client, ports.take()), (pod, 8080))
        late.from_client(frames.DATA, b"GET / HTTP/1.1\r\n\r\n")
        late.wait(0.0005).from_server(RST)
        refused(traffic, seconds + 0.45, (client, ports.take()), (pod, 8080))
    return traffic


def ndots_storm():
    """ndots:5: each name is asked with four suffixes, A and AAAA, before it is found. 50 pods, 100 times a second."""
    traffic, chance, ports = Traffic(), random.Random(9), Ports()
    suffixes = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.internal")
    for number in range(2500):
        seconds, pod = number * 0.01, address("10.244.8.2") + number % 50
        name = f"api{chance.randrange(200)}.partner.example.com"
        port = ports.take()
        for index, suffix in enumerate((*suffixes, None)):
            for kind in (1, 28):
                asked, at = f"{name}.{suffix}" if suffix else name, seconds + index * 0.002
                value = address("203.0.113.9") if suffix is None and kind == 1 else None
                exchange(traffic, at, (pod, port), (RESOLVER, 53),
                         (dns_query(number & 0xFFFF, asked, kind), dns_answer(number & 0xFFFF, asked, value, kind)),
                         rtt=0.0005)
    return traffic


def hashed_names():
    """Names of a CDN that are hashes, and a mail server that looks up each sender in three lists."""
    traffic, chance, ports = Traffic(), random.Random(10), Ports()
    for number in range(6000):
        seconds = number * 0.02
        label = f"{chance.getrandbits(128):032x}"
        lookup(traffic, seconds, (address("192.168.1.20"), ports.take()), RESOLVER,
               f"{label}.cloudfront.example.net", address("203.0.113.77"))
        sender = ".".join(str(chance.randrange(256)) for _ in range(4))
        lookup(traffic, seconds, (address("10.0.0.25"), ports.take()), RESOLVER,
               f"{sender}.{('zen', 'bl', 'dnsbl')[number % 3]}.example.org",
               address("127.0.0.2") if number % 5 == 0 else None)
    return traffic


def backscatter():
    """A day of answers to floods with our addresses as false senders: 60 victims, some for hours, SYN-ACKs, resets and
    ICMP to all of ours; at most 300 a second to one of ours. Hosts that are there reset what they never asked for."""
    traffic, chance = Traffic(), random.Random(12)
    for number in range(120_000):
        victim = chance.randrange(60)
        seconds = chance.random() * DAY_S if victim % 3 else victim * 1000 + chance.random() * 2000
        _scattered(traffic, seconds, address("203.0.113.0") + victim, chance)
    for number in range(3000):
        _scattered_one(traffic, 40_000 + number / 300, address("203.0.113.200") + number % 40, chance,
                       address("198.51.100.20"), SYN_ACK)
    return traffic


def _scattered(traffic, seconds, victim, chance):
    ours = address("198.51.100.0") + chance.randrange(256)
    _scattered_one(traffic, seconds, victim, chance, ours, chance.choice((SYN_ACK, SYN_ACK, RST_ACK, RST, 0)))


def _scattered_one(traffic, seconds, victim, chance, ours, flags):
    port, number = 1024 + chance.randrange(60000), chance.getrandbits(32)
    if flags == 0:
        asked = frames.tcp(ours, victim, port, 80, frames.SYN, number)
        traffic.add(seconds, frames.unreachable(asked))
        return
    traffic.add(seconds, frames.tcp(victim, ours, 80, port, flags, number, 1 if flags & ACK else 0))
    if flags == SYN_ACK and ours & 7 == 4:
        traffic.add(seconds + 0.0002, frames.tcp(ours, victim, port, 80, RST, 1))


def _many_connections(traffic):
    """10,000 of one proxy to 600 servers, and of 4000 clients to it; each at most a few packets in two minutes."""
    proxy = address("10.0.0.70")
    for index in range(10_000):
        if index % 2:
            ends = (proxy, 10000 + index), (address("10.9.0.1") + index % 600, (443, 8080, 5432)[index % 3])
        else:
            ends = (address("172.16.0.1") + index % 4000, 20000 + index), (proxy, 443)
        yield index, Connection(traffic, 300 + index * 0.01, *ends)


def amid_many_connections():
    """The capture begins amid 10,000 connections. Four in ten are idle and say a bare ACK; some of these are answered,
    some not in the capture's time; a hundred are reset."""
    traffic = Traffic()
    for index, connection in _many_connections(traffic):
        if index % 10 < 4:
            connection.keepalive(answered=index % 10 != 3)
        elif index % 100 == 99:
            connection.from_client(frames.DATA, b"late")
            connection.wait(0.001).from_server(RST)
        else:
            connection.ask()
    return traffic


def amid_idle_connections():
    """The same where all are idle: bare ACKs and their answers, no data at all."""
    traffic = Traffic()
    for index, connection in _many_connections(traffic):
        for number in range(2):
            connection.clock = 300 + index * 0.005 + number * 60
            connection.keepalive()
    return traffic


def one_way():
    """A busy mirror that sees what comes in only: connections of 500 clients, answers to our names, QUIC."""
    traffic, chance, ports = Traffic(), random.Random(13), Ports(1024, 65000)
    whole = Traffic()
    for number in range(12_000):
        seconds, outside = number * 0.005, address("203.0.113.0") + chance.randrange(500)
        visit(whole, seconds, (outside, ports.take()), (address("198.51.100.5") + number % 20, 443), rtt=0.02)
        visit(whole, seconds, (address("198.51.100.130"), ports.take()), (outside, 443), rtt=0.02)
        if number % 3 == 0:
            lookup(whole, seconds, (address("198.51.100.53"), ports.take()),
                   address("192.0.2.0") + chance.randrange(200), f"n{number}.example.org", outside)
    for seconds, frame in whole.packets():
        if frame[26:29] != bytes((198, 51, 100)):
            traffic.add(seconds, frame)
    return traffic


def monitoring():
    """Pings and knocks at many doors: 100 that are there and 23 between them that are not, each minute; SNMP, NTP and HTTP."""
    traffic, ports = Traffic(), Ports()
    here = address("10.0.0.11")
    for round_s in range(0, 3600, 60):
        for index in range(123):
            there, seconds = address("10.8.0.1") + index, round_s + index * 0.4
            traffic.add(seconds, frames.ping(here, there, 0x1234, round_s // 60))
            if index % 16 == 3 or index % 8 == 5:
                continue
            traffic.add(seconds + 0.001, frames.pong(there, here, 0x1234, round_s // 60))
            exchange(traffic, seconds + 0.1, (here, ports.take()), (there, 161), (b"get", b"value"))
            visit(traffic, seconds + 0.2, (here, ports.take()), (there, 80))
        for index in range(20):
            closed_port(traffic, round_s + index * 2.5, (here, ports.take()), (address("10.8.0.60") + index, 123), b"\x23")
    return traffic


def service_discovery():
    """240 dead doors over ten hours from inside, each knocked at once and nothing else: just below the slow window."""
    traffic, ports = Traffic(), Ports()
    for index in range(240):
        unanswered(traffic, index * 150, (address("10.0.0.13"), ports.take()),
                   (address("10.8.4.1") + index, 9100), (0, 1, 3))
    return traffic


def multicast():
    """Discovery by multicast and broadcast of 150 hosts, which nobody has to answer."""
    traffic = Traffic()
    groups = (("224.0.0.251", 5353), ("239.255.255.250", 1900), ("255.255.255.255", 67), ("192.168.1.255", 137))
    for number in range(6000):
        here = address("192.168.1.2") + number % 150
        group, port = groups[number // 150 % 4]
        payload = dns_query(0, f"host{number % 40}.local", 12) if port == 5353 else DISCOVER
        exchange(traffic, number * 0.05, (here, port if port != 1900 else 40000 + number % 1000),
                 (address(group), port), (payload, None))
    return traffic


def torrent_like():
    """A peer that asks 600 others of a table of peers over UDP; seven in ten answer."""
    traffic, chance = Traffic(), random.Random(14)
    here = address("192.168.1.30"), 6881
    for number in range(3000):
        peer = chance.randrange(600)
        there = address("203.0.112.1") + peer, 6881 + peer % 9
        answer = b"d1:rd2:id20:" + b"r" * 40 if peer % 10 > 2 else None
        exchange(traffic, number * 0.2, here, there, (b"d1:ad2:id20:" + b"q" * 40, answer), rtt=0.08)
    return traffic


BENIGN = (vrrp_failover, nat_failover, reused_addresses, ndots_storm, hashed_names, backscatter,
          amid_many_connections, amid_idle_connections, one_way, monitoring, service_discovery, multicast,
          torrent_like)
