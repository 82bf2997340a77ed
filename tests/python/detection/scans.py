"""Scans and sweeps in packet time, with what they must raise; SCENES names them, those below thresholds too."""

import random
from functools import partial

from detection import frames
from detection.conversations import Ports, closed_port, exchange, probe, refused, unanswered, visit
from detection.expected import Attack, Scene
from detection.frames import ACK, FIN, PSH, RST, SYN, SYN_ACK, URG, Traffic, address, text_of

SCANNER, VICTIM = {4: "10.66.0.5", 6: "2001:db8:66::5"}, {4: "10.0.3.7", 6: "2001:db8:3::7"}
OUTSIDE = "8.8.4.77"
HOUR_S = 3600
FLAGS = {"syn": SYN, "connect": SYN, "fin": FIN, "null": 0, "xmas": FIN | PSH | URG, "ack": ACK, "udp": None}


def hosts(version, count):
    """Addresses of a network, in order."""
    if version == 4:
        return [address("10.0.4.0") + 1 + index for index in range(count)]
    first = address("2001:db8:4::")
    return [first[:14] + (1 + index).to_bytes(2, "big") for index in range(count)]


def knock(traffic, seconds, client, server, kind, answered):
    """One probe of a scan, and what a closed door says, or nothing says."""
    if kind == "udp":
        if answered:
            closed_port(traffic, seconds, client, server)
        else:
            exchange(traffic, seconds, client, server, (b"", None))
            exchange(traffic, seconds + 1, client, server, (b"", None))
    elif answered:
        refused(traffic, seconds, client, server, FLAGS[kind])
    elif kind == "connect":
        unanswered(traffic, seconds, client, server, (0, 1, 3))
    else:
        probe(traffic, seconds, client, server, FLAGS[kind])
        probe(traffic, seconds + 1, (client[0], client[1] + 1), server, FLAGS[kind])


def port_scan(version, kind, answered, count=100, spacing_s=0.2):
    """`count` ports of one host, one each `spacing_s`; of a connect or SYN scan two are open."""
    traffic, here, there = Traffic(), address(SCANNER[version]), address(VICTIM[version])
    ports = Ports()
    for number in range(count):
        knock(traffic, number * spacing_s, (here, ports.take() if kind == "connect" else 50123),
              (there, 1 + number * 7), kind, answered)
    if kind == "connect":
        visit(traffic, 1.05, (here, ports.take()), (there, 22))
    if kind == "syn":
        traffic.add(1.05, frames.tcp(here, there, 50123, 443, SYN, 7))
        traffic.add(1.051, frames.tcp(there, here, 443, 50123, SYN_ACK, 9, 8))
        traffic.add(1.0511, frames.tcp(here, there, 50123, 443, RST, 8))
    return traffic


def scan_beside_visits():
    """A UDP scan of 600 ports in two minutes, beside two visits a second that are answered."""
    traffic, ports = port_scan(4, "udp", False, 600, 0.2), Ports()
    for number in range(240):
        visit(traffic, number * 0.5, (address("10.0.9.1") + number % 30, ports.take()), (address(VICTIM[4]), 443))
    return traffic


def sweep(version, kind, answered, count=80, ports=(22,)):
    """Hosts on the same ports, five a second; one in twenty has the door open."""
    traffic, here, mine = Traffic(), address(SCANNER[version]), Ports()
    for number, there in enumerate(hosts(version, count)):
        for index, port in enumerate(ports):
            seconds, client = number * 0.2 + index * 0.05, (here, mine.take())
            if number % 20 == 19 and kind in ("syn", "connect"):
                visit(traffic, seconds, client, (there, port))
            else:
                knock(traffic, seconds, client, (there, port), kind, answered)
    return traffic


def ping_sweep(version, count=80):
    """Echo requests to hosts in order; one in ten is there."""
    traffic, here = Traffic(), address(SCANNER[version])
    for number, there in enumerate(hosts(version, count)):
        traffic.add(number * 0.1, frames.ping(here, there, 0x77))
        if number % 10 == 9:
            traffic.add(number * 0.1 + 0.001, frames.pong(there, here, 0x77))
    return traffic


def block_scan(host_count, port_count):
    """Every port of a list at every host of a block, in an order of chance."""
    traffic, chance, ports = Traffic(), random.Random(21), Ports()
    pairs = [(there, 1 + port * 11) for there in hosts(4, host_count) for port in range(port_count)]
    chance.shuffle(pairs)
    for number, pair in enumerate(pairs):
        knock(traffic, number * 0.05, (address(SCANNER[4]), ports.take()), pair, "syn", number % 3 == 0)
    return traffic


def host_by_host(source, every_s, count, port=3389):
    """Hosts on one port, one each `every_s`: too slow for every short window."""
    traffic, ports = Traffic(), Ports()
    for number, there in enumerate(hosts(4, count)):
        unanswered(traffic, number * every_s, (address(source), ports.take()), (there, port), (0,))
    return traffic


def slow_port_scan(source, every_s, count):
    traffic, ports = Traffic(), Ports()
    for number in range(count):
        refused(traffic, number * every_s, (address(source), ports.take()), (address(VICTIM[4]), 1 + number))
    return traffic


def real_slow_scanner():
    """The shape of a real one: 7,307 hosts on one port in 72 hours, gaps of chance, none answers, at most 13 in 60 s,
    39 in 300 s and 87 in 900 s. Ordinary visitors beside it."""
    traffic, chance, ports = Traffic(), random.Random(22), Ports()
    pause, second = 72 * HOUR_S / 7307, 0.0
    recent = []
    for there in hosts(4, 7307):
        second += min(chance.expovariate(1 / pause), 600)
        recent = [at for at in recent if second - at < 60]
        if len(recent) >= 13:
            second = recent[0] + 60.5
        recent.append(second)
        unanswered(traffic, second, (address(OUTSIDE), ports.take()), (there, 2222), (0,))
    for number in range(3000):
        visit(traffic, number * 86, (address("203.0.113.9") + number % 90, ports.take()), (hosts(4, 1)[0], 443))
    return traffic


def stops_and_goes():
    """90 hosts, silence of 20 minutes, 90 more: the long window begins anew."""
    traffic, ports = Traffic(), Ports()
    for number, there in enumerate(hosts(4, 180)):
        seconds = number * 30 + (1200 if number >= 90 else 0)
        unanswered(traffic, seconds, (address(OUTSIDE), ports.take()), (there, 3389), (0,))
    return traffic


def scan_of(kind, version, answered):
    """A bare ACK that nobody answers is what an idle connection of before the capture says: no alert."""
    name = f"port_scan_{kind}_ipv{version}_{'refused' if answered else 'silent'}"
    attack = Attack("port_scan", text_of(address(SCANNER[version])), text_of(address(VICTIM[version])))
    told = kind != "ack" or answered
    return Scene(name, partial(port_scan, version, kind, answered), (attack,) if told else ())


def sweep_of(kind, version, answered):
    name = f"sweep_{kind}_ipv{version}_{'refused' if answered else 'silent'}"
    return Scene(name, partial(sweep, version, kind, answered),
                 (Attack("host_sweep", text_of(address(SCANNER[version])), port=22),))


SWEEP = Attack("host_sweep", SCANNER[4])
SCAN = Attack("port_scan", SCANNER[4])

SCENES = (
    *(scan_of(kind, version, answered) for kind in FLAGS for version in (4, 6) for answered in (True, False)),
    *(sweep_of(kind, version, answered) for kind in ("syn", "connect", "udp") for version in (4, 6)
      for answered in (True, False)),
    Scene("udp_scan_beside_visits", scan_beside_visits, (SCAN,)),
    Scene("ping_sweep_ipv4", partial(ping_sweep, 4), (SWEEP,)),
    Scene("ping_sweep_ipv6", partial(ping_sweep, 6), (Attack("host_sweep", SCANNER[6]),)),
    Scene("polite_scan", partial(port_scan, 4, "syn", True, 200, 0.4), (SCAN,)),
    Scene("two_ports", partial(sweep, 4, "syn", False, 80, (80, 443)), (SWEEP,)),
    Scene("block_16_by_20", partial(block_scan, 16, 20), (SCAN,)),
    Scene("block_40_by_30", partial(block_scan, 40, 30), (SCAN,)),
    Scene("one_a_minute_outside", partial(host_by_host, OUTSIDE, 60, 360), (Attack("host_sweep", OUTSIDE),)),
    Scene("one_a_minute_inside", partial(host_by_host, SCANNER[4], 60, 360), (SWEEP,)),
    Scene("one_port_a_minute_outside", partial(slow_port_scan, OUTSIDE, 60, 360),
          (Attack("port_scan", OUTSIDE, VICTIM[4]),)),
    Scene("real_slow_scanner", real_slow_scanner, (Attack("host_sweep", OUTSIDE, port=2222),)),
    # Just above and just below.
    Scene("27_ports_in_a_minute", partial(port_scan, 4, "fin", True, 27, 1.0), (SCAN,)),
    Scene("24_ports_in_a_minute", partial(port_scan, 4, "fin", True, 24, 1.0)),
    Scene("27_hosts_in_a_minute", partial(host_by_host, SCANNER[4], 1.0, 27), (SWEEP,)),
    Scene("24_hosts_in_a_minute", partial(host_by_host, SCANNER[4], 1.0, 24)),
    Scene("66_hosts_in_five_minutes", partial(host_by_host, SCANNER[4], 4.0, 66), (SWEEP,)),
    Scene("59_hosts_in_five_minutes", partial(host_by_host, SCANNER[4], 4.0, 59)),
    Scene("104_hosts_outside", partial(host_by_host, OUTSIDE, 60, 104), (Attack("host_sweep", OUTSIDE),)),
    Scene("98_hosts_outside", partial(host_by_host, OUTSIDE, 60, 98)),
    Scene("255_hosts_inside", partial(host_by_host, SCANNER[4], 60, 255), (SWEEP,)),
    Scene("245_hosts_inside", partial(host_by_host, SCANNER[4], 60, 245)),
    Scene("silent_for_20_minutes", stops_and_goes),
)
