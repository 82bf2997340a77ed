"""Ordinary traffic of clusters that looks like scans and floods to who counts carelessly. Each function makes the
Traffic of one scene; BENIGN names them. All times and sizes are those of real deployments, days shortened in nothing but
the packets of a scrape."""

import random

from detection import frames
from detection.conversations import (RESPONSE, Connection, Ports, closed_port, exchange, lookup, refused, unanswered, visit)
from detection.frames import ACK, DATA, RST_ACK, SYN, SYN_ACK, Traffic, address

HOUR_S, DAY_S = 3600, 86400
PROMETHEUS, RESOLVER = address("10.0.0.9"), address("10.96.0.10")
TARGETS, DEAD = 200, 60  # of Prometheus; the first are dead where some are


def target(index):
    return address("10.2.0.10") + index // 100 * 256 + index % 100, 9100


def resolver():
    """500 clients ask a resolver; it asks 40 servers of names. Some clients have closed the port when it answers."""
    traffic, chance, ports = Traffic(), random.Random(1), Ports(1024, 65000)
    for number in range(20_000):
        seconds = number * 0.003
        client = address("10.244.0.5") + chance.randrange(500), ports.take()
        name = f"service-{chance.randrange(3000)}.example.org"
        if number % 4 == 0:
            upstream = address("192.0.2.1") + chance.randrange(40)
            lookup(traffic, seconds + 0.0005, (RESOLVER, ports.take()), upstream, name, upstream, rtt=0.02)
        lookup(traffic, seconds, client, RESOLVER, name, address("198.51.100.7"), rtt=0.03)
        if number % 20 == 0:
            late = frames.udp(RESOLVER, client[0], 53, client[1], frames.dns_answer(1, name))
            traffic.add(seconds + 6, late)
            traffic.add(seconds + 6.001, frames.unreachable(late))
    return traffic


def scrape_all(traffic, connections, begin_s, interval_s, count):
    for number in range(count):
        for index, connection in enumerate(connections):
            connection.clock = begin_s + number * interval_s + index * interval_s / len(connections)
            connection.ask()


def prometheus():
    """200 targets, a connection kept to each, every 15 s for ten minutes."""
    traffic = Traffic()
    kept = [Connection(traffic, index * 0.07, (PROMETHEUS, 40000 + index), target(index)).open()
            for index in range(TARGETS)]
    scrape_all(traffic, kept, 1, 15, 40)
    return traffic


def prometheus_amid():
    """The same, captured from its sixth minute on."""
    traffic = prometheus()
    traffic.after(300)
    return traffic


def retry_dead(traffic, interval_s, until_s):
    """A third of the dead answer nothing, the rest are hosts without the service."""
    ports = Ports()
    for round_s in range(0, until_s, interval_s):
        for index in range(DEAD):
            seconds, client = round_s + index * interval_s / DEAD, (PROMETHEUS, ports.take())
            if index % 3 == 0:
                unanswered(traffic, seconds, client, target(index), (0, 1, 3))
            else:
                refused(traffic, seconds, client, target(index))


def prometheus_third_dead():
    """30 % of 200 targets dead for a day, one try a minute; the others have kept connections."""
    traffic = Traffic()
    kept = [Connection(traffic, index * 0.05, (PROMETHEUS, 20000 + index), target(index)).open()
            for index in range(DEAD, TARGETS)]
    scrape_all(traffic, kept, 12, 180, DAY_S // 180)
    retry_dead(traffic, 60, DAY_S)
    return traffic


def prometheus_third_dead_amid():
    """The dead are tried every 15 s; the capture begins amid, so that no healthy connection is seen to open."""
    traffic = Traffic()
    kept = [Connection(traffic, index * 0.05, (PROMETHEUS, 20000 + index), target(index)).open()
            for index in range(DEAD, TARGETS)]
    scrape_all(traffic, kept, 12, 15, 2 * HOUR_S // 15)
    retry_dead(traffic, 15, 2 * HOUR_S)
    traffic.after(120)
    return traffic


def prometheus_third_dead_new_connections():
    """The same with a new connection for each scrape, every 15 s."""
    traffic, ports = Traffic(), Ports(10000, 31000)
    for round_s in range(0, HOUR_S, 15):
        for index in range(DEAD, TARGETS):
            visit(traffic, round_s + index * 0.07, (PROMETHEUS, ports.take()), target(index))
    retry_dead(traffic, 15, HOUR_S)
    return traffic


def load_balancer():
    """100 backends are probed every 2 s by a connection that is reset when it is open; 30 refuse or are silent."""
    traffic, ports = Traffic(), Ports()
    balancer = address("10.0.1.1")
    for round_s in range(0, 300, 2):
        for index in range(100):
            seconds, client = round_s + index * 0.02, (balancer, ports.take())
            backend = address("10.3.0.1") + index, 8080
            if index % 10 == 0:
                unanswered(traffic, seconds, client, backend, (0,))
            elif index % 10 < 3:
                refused(traffic, seconds, client, backend)
            else:
                probe = Connection(traffic, seconds, client, backend).open()
                probe.from_client(RST_ACK)
    return traffic


def browser():
    """60 hosts within 20 s: names, QUIC that 40 of them never answer, TCP to all, 20 over IPv6 that leads nowhere."""
    traffic, ports = Traffic(), Ports()
    here, here6 = address("192.168.1.20"), address("2001:db8:1::20")
    for index in range(60):
        seconds, host = index * 0.3, address("203.0.113.1") + index
        lookup(traffic, seconds, (here, ports.take()), address("192.168.1.1"), f"www{index}.example.com", host)
        if index % 3:
            answer = None if index % 3 == 1 or index < 40 else b"q" * 1200
            exchange(traffic, seconds + 0.02, (here, ports.take()), (host, 443), (b"Q" * 1200, answer))
        if index % 3 == 0:
            there6 = address("2001:db8:99::")[:15] + bytes((index,))
            unanswered(traffic, seconds + 0.02, (here6, ports.take()), (there6, 443))
        visit(traffic, seconds + 0.05, (here, ports.take()), (host, 443), rtt=0.02)
    return traffic


def nat():
    """5000 clients behind one address visit 800 servers, one in twenty of which is dead."""
    traffic, chance, ports = Traffic(), random.Random(2), Ports(1024, 65000)
    outside = address("198.51.100.1")
    for number in range(15_000):
        server = chance.randrange(800)
        there = address("203.0.113.0") + server, (443, 80, 8443, 993)[server % 4]
        seconds = number * 0.008
        if server % 20 == 0:
            unanswered(traffic, seconds, (outside, ports.take()), there)
        else:
            visit(traffic, seconds, (outside, ports.take()), there, rtt=0.02)
    return traffic


def ingress():
    """2,000 clients open 2,000 connections a second to one address and port, for ten seconds."""
    traffic, chance = Traffic(), random.Random(3)
    server = address("10.0.0.80"), 443
    for number in range(20_000):
        client = address("198.18.0.1") + number % 2000, 1024 + number // 2000 * 7 + chance.randrange(7)
        visit(traffic, number * 0.0005 + chance.random() * 0.01, client, server, rtt=0.015)
    return traffic


def proxy():
    """A proxy opens 1,000 connections a second to 50 backends, for eight seconds."""
    traffic, chance, ports = Traffic(), random.Random(15), Ports(1024, 65000)
    here = address("10.0.0.82")
    for number in range(8000):
        backend = address("10.244.11.2") + chance.randrange(50), 8080
        visit(traffic, number * 0.001, (here, ports.take()), backend)
    return traffic


def busy_resolver():
    """A resolver asks 60 servers 800 names a second, for eight seconds, and answers as many."""
    traffic, chance, ports = Traffic(), random.Random(16), Ports(1024, 65000)
    for number in range(6400):
        seconds, name = number / 800, f"n{number}.example.com"
        client, server = address("10.244.12.2") + chance.randrange(400), address("192.0.2.1") + chance.randrange(60)
        lookup(traffic, seconds, (client, ports.take()), RESOLVER, name, server, rtt=0.021)
        lookup(traffic, seconds + 0.0005, (RESOLVER, ports.take()), server, name, server, rtt=0.02)
    return traffic


def node_vanishes():
    """110 pods with connections from 40 clients and an ingress are gone at the 60th second: retransmissions, new
    connections to where clients had been before, and a few to where they had not, until their list is renewed."""
    traffic, chance, ports = Traffic(), random.Random(4), Ports()
    pods = [(address("10.244.7.2") + index, 8080) for index in range(110)]
    clients = [address("10.244.1.2") + index for index in range(40)]
    for index, pod in enumerate(pods):
        for client in (address("10.0.0.81"), *chance.sample(clients, 6)):
            kept = Connection(traffic, index * 0.1, (client, ports.take()), pod).open()
            for number in range(4):
                kept.clock = 12 + number * 12 + index * 0.1
                kept.ask()
            _left_alone(traffic, kept, (client, ports.take()), pod)
    for client in clients:
        for pod in chance.sample(pods, 8):
            unanswered(traffic, 66 + chance.random() * 20, (client, ports.take()), pod)
    return traffic


def _left_alone(traffic, kept, client, pod):
    """A request and its retransmissions, then a new try; the node's neighbour says that the host is not there."""
    for later in (60.2, 60.4, 60.8, 61.6, 63.2, 66.4):
        kept.clock = later
        kept.from_client(DATA, b"GET / HTTP/1.1\r\n\r\n" + b"x" * 100)
        kept._sent -= 118  # pylint: disable=protected-access
    unanswered(traffic, 70, client, pod)
    gone = frames.tcp(client[0], pod[0], client[1], pod[1], SYN, 1000 + client[1])
    traffic.add(73.2, frames.unreachable(gone, address("10.0.0.1")))


def ingress_amid_full_queue():
    """A server under load answers half of the SYNs only when they come again."""
    traffic, chance = Traffic(), random.Random(11)
    server = address("10.0.0.80"), 443
    for number in range(4000):
        client = address("198.18.0.1") + number % 1500, 2048 + number
        seconds = number * 0.005
        if chance.random() < 0.5:
            traffic.add(seconds, frames.tcp(client[0], server[0], client[1], 443, SYN, 5))
            seconds += 1
        visit(traffic, seconds, client, server, rtt=0.03)
    return traffic


def dead_backends_of_a_mesh():
    """24 dead targets of one pod with kept connections, and nothing else that is new: just below."""
    traffic, ports = Traffic(), Ports()
    here = address("10.244.3.3")
    for round_s in range(0, 1800, 30):
        for index in range(24):
            refused(traffic, round_s + index, (here, ports.take()), (address("10.244.9.1") + index, 15001))
    return traffic


def syn_ack_to_closed(traffic, seconds, client, server):
    traffic.add(seconds, frames.tcp(client[0], server[0], client[1], server[1], SYN, 9))
    traffic.add(seconds + 0.01, frames.tcp(server[0], client[0], server[1], client[1], SYN_ACK, 4, 10))
    traffic.add(seconds + 0.0101, frames.tcp(client[0], server[0], client[1], server[1], frames.RST, 10))


def half_open_monitor():
    """A monitor that looks whether 300 doors are open, by half-open probes, once a minute."""
    traffic, ports = Traffic(), Ports()
    here = address("10.0.0.12")
    for round_s in range(0, 600, 60):
        for index in range(300):
            syn_ack_to_closed(traffic, round_s + index * 0.19, (here, ports.take()),
                              (address("10.5.0.1") + index, 443))
    return traffic


def udp_services():
    """Syslog and metrics that nobody answers, to a few collectors, and one that is not there."""
    traffic, chance, ports = Traffic(), random.Random(5), Ports()
    for number in range(20_000):
        here = address("10.244.2.2") + chance.randrange(100), 30000 + chance.randrange(20)
        collector = address("10.0.0.40") + number % 5, (514, 8125)[number % 2]
        exchange(traffic, number * 0.01, here, collector, (b"<34>message " + b"y" * 80, None))
    for number in range(300):
        closed_port(traffic, number * 0.6, (address("10.244.2.9"), ports.take()), (address("10.0.0.46"), 514),
                    b"lost")
    return traffic


def bulk():
    """A UDP transfer of 12,000 packets a second whose receiver answers one in fifteen, as QUIC and VPNs do, beside
    visits to some servers."""
    traffic, ports = Traffic(), Ports()
    for number in range(200):
        client, server = (address("192.168.3.4") + number % 50, ports.take()), address("10.0.0.60") + number % 9
        visit(traffic, number * 0.035, client, (server, 443))
    sender, receiver = (address("10.0.0.50"), 443), (address("192.168.3.3"), 50000)
    exchange(traffic, 0, receiver, sender, (b"a" * 1200, RESPONSE))
    payload = b"z" * 200
    for number in range(84_000):
        seconds = 0.01 + number / 12_000
        traffic.add(seconds, frames.udp(sender[0], receiver[0], 443, 50000, payload))
        if number % 15 == 0:
            traffic.add(seconds + 0.00002, frames.udp(receiver[0], sender[0], 50000, 443, b"ack" * 10))
    return traffic


def idle_until_reset():
    """Kept connections to 150 hosts that all answer a late request by a reset: their side had forgotten them."""
    traffic = Traffic()
    here = address("10.244.4.4")
    for index in range(150):
        kept = Connection(traffic, index * 0.05, (here, 41000 + index), (address("10.6.0.1") + index, 5432))
        kept.open().ask()
        kept.clock = 700 + index * 0.05
        kept.from_client(DATA, b"select 1")
        kept.wait(0.001).from_server(frames.RST)
    traffic.after(300)
    return traffic


def busy_amid():
    """Acknowledgements and data of 300 long transfers, captured amid."""
    traffic = Traffic()
    for index in range(300):
        flow = Connection(traffic, 0, (address("10.7.0.1") + index, 52000), (address("10.0.0.90"), 873))
        for number in range(100):
            flow.clock = number * 0.2 + index * 0.0006
            flow.from_server(DATA, RESPONSE)
            flow.wait(0.0001).from_client(ACK)
    return traffic


BENIGN = (resolver, busy_resolver, prometheus, prometheus_amid, prometheus_third_dead, prometheus_third_dead_amid,
          prometheus_third_dead_new_connections, load_balancer, browser, nat, ingress, proxy, node_vanishes,
          ingress_amid_full_queue, dead_backends_of_a_mesh, half_open_monitor, udp_services, bulk, idle_until_reset,
          busy_amid)

# (scene, direction) -> the alert that it raises, and no other: that direction by itself is just what the attack looks like
# (800 answers a second of 60 servers, and no question to be seen).
LOOKS_LIKE = {
    ("busy_resolver", "high"): "reflection from many to 10.96.0.10: ",
}
