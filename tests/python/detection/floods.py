"""Floods in packet time, with what they must raise; SCENES names them, those below thresholds too."""

import random
from functools import partial

from detection import frames
from detection.conversations import Ports, refused, visit
from detection.expected import Attack, Scene
from detection.frames import ACK, RST, SYN, SYN_ACK, Traffic, address

SERVER, DEAD = "10.0.0.80", "10.0.0.81"
ONE = "198.51.100.66"
VICTIM = "10.0.0.99"


def visitors(traffic, until_s, a_second=20, server=SERVER):
    """Legitimate clients beside a flood."""
    ports = Ports()
    for number in range(int(until_s * a_second)):
        visit(traffic, number / a_second, (address("192.0.2.1") + number % 200, ports.take()),
              (address(server), 443), rtt=0.01)


def syn_flood(target, a_second, sources=None, seconds=12, answered=None):
    """SYNs to port 443; `sources` None = of chance. A live server says SYN-ACK, twice, and a sender that is real and
    no program asked for it says RST."""
    traffic, chance = Traffic(), random.Random(31)
    there, live = address(target), target == SERVER if answered is None else answered
    for number in range(int(a_second * seconds)):
        at = number / a_second
        source = chance.getrandbits(32) % 0xDF000000 + 0x01000000 if sources is None else \
            address(ONE) + number % sources
        port, first = 1024 + number % 60000, chance.getrandbits(32)
        traffic.add(at, frames.tcp(source, there, port, 443, SYN, first))
        if live:
            back = frames.tcp(there, source, 443, port, SYN_ACK, 1, first + 1 & 0xFFFFFFFF)
            traffic.add(at + 0.0001, back)
            if sources is None and number % 4 == 0:
                traffic.add(at + 1, back)
            if sources is not None:
                traffic.add(at + 0.02, frames.tcp(source, there, port, 443, RST, first + 1 & 0xFFFFFFFF))
    if live:
        visitors(traffic, seconds)
    return traffic


def handshakes_too(a_second, share):
    """SYNs of which a share is completed: heavy load, not a flood, while that share is more than half."""
    traffic, chance, ports = Traffic(), random.Random(32), Ports()
    for number in range(a_second * 12):
        at, client = number / a_second, (address("198.18.0.1") + chance.randrange(3000), ports.take())
        if chance.random() < share:
            visit(traffic, at, client, (address(SERVER), 443))
        else:
            traffic.add(at, frames.tcp(client[0], address(SERVER), client[1], 443, SYN, number))
    return traffic


def scan_in_a_flood():
    """A scan of 200 ports from one source while 3,000 SYNs a second with false senders hit one port."""
    traffic = syn_flood(SERVER, 3000, seconds=12)
    here = address(ONE)
    for number in range(200):
        at, port = 2 + number * 0.04, 1000 + number * 13
        traffic.add(at, frames.tcp(here, address(SERVER), 55555, port, SYN, 7))
        traffic.add(at + 0.0004, frames.tcp(address(SERVER), here, port, 55555, RST | ACK, 0, 8))
    return traffic


def scan_in_a_udp_flood():
    """The same beside 12,500 datagrams a second with false senders, each a conversation that nobody answers."""
    traffic, chance, here = Traffic(), random.Random(36), address(ONE)
    for number in range(100_000):
        source = chance.getrandbits(32) % 0xDF000000 + 0x01000000
        traffic.add(number / 12_500, frames.udp(source, address(VICTIM), 1024 + number % 60000, 27015, b"\xff" * 64))
    for number in range(200):
        refused(traffic, 5 + number * 0.012, (here, 55555), (address(SERVER), 1000 + number * 13))
    visitors(traffic, 8)
    return traffic


def syn_acks(a_second, sources, seconds=8):
    """Answers to SYNs that the victim never sent; it resets what it gets."""
    traffic, chance = Traffic(), random.Random(33)
    there = address(VICTIM)
    for number in range(a_second * seconds):
        at, source, port = number / a_second, address("203.0.113.0") + number % sources, chance.randrange(1024, 65535)
        number_there = chance.getrandbits(32)
        traffic.add(at, frames.tcp(source, there, 443, port, SYN_ACK, 4, number_there))
        if number % 5 == 0:
            traffic.add(at + 0.0005, frames.tcp(there, source, port, 443, RST, number_there))
    visitors(traffic, seconds, 10, VICTIM)
    return traffic


def amplified(port, a_second, sources, seconds=8, two_way=True):
    """Answers of amplifiers that the victim never asked; its system refuses a few a second."""
    traffic, chance = Traffic(), random.Random(34)
    there, payload = address(VICTIM), b"\x17\x00\x03\x2a" + b"r" * 440
    for number in range(a_second * seconds):
        at, source = number / a_second, address("203.0.112.0") + number % sources
        frame = frames.udp(source, there, port, chance.randrange(1024, 65535), payload)
        traffic.add(at, frame)
        if number % 500 == 0:
            traffic.add(at + 0.001, frames.unreachable(frame))
    if two_way:
        visitors(traffic, seconds, 10, VICTIM)
    return traffic


def udp_flood(a_second, sources, port=27015, seconds=8, answers_of=0):
    """Datagrams to one host; `answers_of` N: it answers one in N."""
    traffic, chance = Traffic(), random.Random(35)
    there, payload = address(VICTIM), b"\xff" * 64
    senders = [(address("203.0.113.0") + index, 1024 + chance.randrange(60000)) for index in range(sources)]
    for number in range(a_second * seconds):
        source = senders[number % sources]
        traffic.add(number / a_second, frames.udp(source[0], there, source[1], port, payload))
        if answers_of and number % answers_of == 0:
            traffic.add(number / a_second + 0.0001, frames.udp(there, source[0], port, source[1], payload))
    return traffic


def udp_flood_everywhere(a_second, seconds=8):
    """From one source to every port of one host."""
    traffic, there, payload = Traffic(), address(VICTIM), b"\xff" * 64
    for number in range(a_second * seconds):
        traffic.add(number / a_second, frames.udp(address(ONE), there, 4444, 1 + number % 65535, payload))
    return traffic


def ping_flood(a_second, sources, seconds=8, answered=False, there=VICTIM):
    traffic = Traffic()
    for number in range(a_second * seconds):
        source = address("203.0.113.0") + number % sources
        traffic.add(number / a_second, frames.ping(source, address(there), number % sources, number // sources & 0xFFFF))
        if answered:
            traffic.add(number / a_second + 0.0001,
                        frames.pong(address(there), source, number % sources, number // sources & 0xFFFF))
    return traffic


def flood(target=SERVER, source=None):
    return Attack("syn_flood", source, target, 443)


SCENES = (
    Scene("syn_flood_random_live", partial(syn_flood, SERVER, 2000), (flood(),)),
    Scene("syn_flood_random_dead", partial(syn_flood, DEAD, 2000), (flood(DEAD),)),
    Scene("syn_flood_one_source_live", partial(syn_flood, SERVER, 2000, 1), (flood(source=ONE),)),
    Scene("syn_flood_one_source_dead", partial(syn_flood, DEAD, 2000, 1), (flood(DEAD, ONE),)),
    Scene("syn_flood_60_sources", partial(syn_flood, SERVER, 100, 60), (flood(),)),
    Scene("scan_in_a_flood", scan_in_a_flood, (flood(), Attack("port_scan", ONE, SERVER))),
    Scene("scan_in_a_udp_flood", scan_in_a_udp_flood,
          (Attack("udp_flood", None, VICTIM), Attack("port_scan", ONE, SERVER))),
    Scene("reflected_syn_acks", partial(syn_acks, 1500, 200), (Attack("reflection", None, VICTIM),)),
    Scene("reflected_syn_acks_three_sources", partial(syn_acks, 6500, 3), (Attack("reflection", None, VICTIM),)),
    *(Scene(f"amplified_{name}", partial(amplified, port, 1200, 100), (Attack("reflection", None, VICTIM),))
      for name, port in (("dns", 53), ("ntp", 123), ("memcached", 11211), ("ssdp", 1900), ("chargen", 19),
                         ("cldap", 389), ("snmp", 161))),
    Scene("amplified_memcached_heavy", partial(amplified, 11211, 14_000, 100, 7),
          (Attack("reflection", None, VICTIM), Attack("udp_flood", None, VICTIM))),
    Scene("udp_flood_many", partial(udp_flood, 13_000, 400), (Attack("udp_flood", None, VICTIM),)),
    Scene("udp_flood_one", partial(udp_flood, 13_000, 1), (Attack("udp_flood", "203.0.113.0", VICTIM),)),
    Scene("udp_flood_everywhere", partial(udp_flood_everywhere, 13_000), (Attack("udp_flood", ONE, VICTIM),)),
    Scene("icmp_flood_many", partial(ping_flood, 1400, 300), (Attack("icmp_flood", None, VICTIM),)),
    Scene("icmp_flood_one", partial(ping_flood, 1400, 1), (Attack("icmp_flood", "203.0.113.0", VICTIM),)),
    # Just above and just below.
    Scene("46_syns_a_second", partial(syn_flood, DEAD, 46, 80, 20), (flood(DEAD),)),
    Scene("38_syns_a_second", partial(syn_flood, DEAD, 38, 80, 20)),
    Scene("38_syns_a_second_random", partial(syn_flood, DEAD, 38, None, 20)),
    Scene("440_syns_a_second_of_40", partial(syn_flood, DEAD, 440, 40), (flood(DEAD),)),
    Scene("380_syns_a_second_of_40", partial(syn_flood, DEAD, 380, 40)),
    Scene("half_and_more_completed", partial(handshakes_too, 400, 0.55)),
    Scene("less_than_half_completed", partial(handshakes_too, 400, 0.44), (flood(),)),
    Scene("4400_unanswered_of_11000", partial(handshakes_too, 2200, 0.6), (flood(),)),
    Scene("3500_unanswered_of_8750", partial(handshakes_too, 1750, 0.6)),
    Scene("560_syn_acks_a_second", partial(syn_acks, 560, 12), (Attack("reflection", None, VICTIM),)),
    Scene("450_syn_acks_a_second", partial(syn_acks, 450, 12)),
    Scene("4600_syn_acks_of_nine", partial(syn_acks, 4600, 9)),
    Scene("5600_syn_acks_of_nine", partial(syn_acks, 5600, 9), (Attack("reflection", None, VICTIM),)),
    Scene("450_dns_answers_a_second", partial(amplified, 53, 450, 100)),
    Scene("9000_datagrams_a_second", partial(udp_flood, 9000, 400)),
    Scene("13000_answered_one_in_15", partial(udp_flood, 13_000, 400, answers_of=15)),
    Scene("900_pings_a_second", partial(ping_flood, 900, 300)),
    Scene("1400_pings_answered", partial(ping_flood, 1400, 300, answered=True)),
)
