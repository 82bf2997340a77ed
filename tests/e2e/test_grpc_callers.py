"""Who may call by gRPC, and what he sees: tokens, their limits, TLS, client certificates, users of the unix socket, and
all of that while the files behind it change."""

import contextlib
import os
import socket
import ssl
import unittest

import feeding
import grpc_client
import sensor
from certificates import Authority
from serving import ServerTest, code_of, reason_of

grpc = grpc_client.grpc
YEAR_2023 = 1_700_000_000
ROLES = ("viewer", "packets", "operator")
NEEDS = {"ApplyConfig": "operator", "StartCapture": "operator", "StopCapture": "operator", "GetPacket": "packets",
         "WatchPackets": "packets", "StreamPcap": "packets"}  # the others: viewer


def role_number(name):
    return grpc_client.netscope("sensor").Role.Value(f"ROLE_{name.upper()}")


def outcome(client, name, streams):
    """(code, reason) of a method that is asked with an empty request; ("OK", None) when it answers."""
    try:
        if streams:
            with contextlib.closing(Cancelling(client.watch(name))) as stream:
                stream.first()
        else:
            client.call(name)
    except grpc.RpcError as error:
        return reason_of(error)
    return "OK", None


class Cancelling:
    """A stream that is cancelled when it is closed."""

    def __init__(self, stream):
        self._stream = stream

    def first(self):
        return next(self._stream)

    def close(self):
        self._stream.cancel()


class Tokens(ServerTest):
    def serve_tokens(self, *rows):
        self.tokens = self.write_tokens(*rows)
        return self.serve("--grpc-tokens-file", self.tokens)

    def test_each_role_may_what_it_may_and_no_more(self):
        running = self.serve_tokens(*((name, name, f"secret-{name}") for name in ROLES))
        for role in ROLES:
            client = self.client(token=f"secret-{role}")
            caller = client.call("GetStatus").caller
            self.assertEqual((caller.identity, caller.role, list(caller.limits)), (role, role_number(role), []))
            for path, _, _, streams in grpc_client.methods():
                name = path.rsplit("/", 1)[1]
                may = ROLES.index(role) >= ROLES.index(NEEDS.get(name, "viewer"))
                with self.subTest(role=role, method=name):
                    code, reason = outcome(client, name, streams)
                    if may:
                        self.assertNotIn(code, ("PERMISSION_DENIED", "UNAUTHENTICATED"))
                    else:
                        self.assertEqual((code, reason), ("PERMISSION_DENIED", "ROLE_TOO_LOW"))
        self.end(running)

    def test_who_shows_no_token_or_a_wrong_one_is_refused_everywhere(self):
        running = self.serve_tokens(("somebody", "operator", "secret"))
        digest = self.tokens.read_text(encoding="ascii").split()[2]
        for token, expected in ((None, "CREDENTIALS_MISSING"), ("Secret", "TOKEN_UNKNOWN"), ("secre", "TOKEN_UNKNOWN"),
                                ("secret2", "TOKEN_UNKNOWN"), (digest, "TOKEN_UNKNOWN"),
                                ("", "CREDENTIALS_MALFORMED"), ("se cret", "CREDENTIALS_MALFORMED"),
                                ("x" * 4090, "BAD_CREDENTIALS"), ("x" * 3000, "TOKEN_UNKNOWN")):
            client = self.client(token=token)
            for path, _, _, streams in grpc_client.methods():
                with self.subTest(token=token, method=path):
                    self.assertEqual(outcome(client, path.rsplit("/", 1)[1], streams), ("UNAUTHENTICATED", expected))
        for header in ("secret", "Basic c2VjcmV0", "Bearer", "bearer  "):
            client = self.client()
            client.metadata = [("authorization", header)]
            self.assertEqual(reason_of(code_of(lambda client=client: client.call("GetStatus"))),
                             ("UNAUTHENTICATED", "CREDENTIALS_MALFORMED"))
        twice = self.client()
        twice.metadata = [("authorization", "Bearer secret")] * 2
        self.assertEqual(code_of(lambda: twice.call("GetStatus")).code().name, "UNAUTHENTICATED")
        lower = self.client()
        lower.metadata = [("authorization", "bearer secret")]
        self.assertEqual(lower.call("GetStatus").caller.identity, "somebody")
        for secret in ("secret", digest):
            self.assertNotIn(secret, running.stderr())
        self.end(running)

    def test_a_token_on_the_socket_counts_more_than_the_user(self):
        running = self.serve_tokens(("somebody", "operator", "secret"))
        self.assertEqual(self.local().call("GetStatus").caller.identity, f"uid {os.geteuid()}")
        self.assertEqual(self.local(token="secret").call("GetStatus").caller.identity, "somebody")
        self.assertEqual(reason_of(code_of(lambda: self.local(token="wrong").call("GetStatus"))),
                         ("UNAUTHENTICATED", "TOKEN_UNKNOWN"))
        self.end(running)

    def follow(self, token):
        stream = self.client(token=token).watch(
            "WatchAlerts", options={"follow": True, "heartbeat_interval": {"seconds": 1}})
        next(stream)
        return stream

    def test_a_changed_file_ends_the_streams_of_whom_it_concerns(self):
        kept = ("kept", "viewer", "first")
        running = self.serve_tokens(kept, ("gone", "viewer", "second"), ("changed", "packets", "third"),
                                    ("limited", "viewer", "fourth"))
        stays, goes, changes, limited = (self.follow(token) for token in ("first", "second", "third", "fourth"))
        self.write_tokens(("new", "operator", "fifth"), ("changed", "viewer", "third"),
                          ("limited", "viewer", "fourth", "network=10.0.0.0/8"), kept)
        self.assertEqual(reason_of(code_of(lambda: list(goes))), ("UNAUTHENTICATED", "CREDENTIALS_GONE"))
        for stream in (changes, limited):
            self.assertEqual(reason_of(code_of(lambda stream=stream: list(stream))),
                             ("PERMISSION_DENIED", "RIGHTS_CHANGED"))
        for _ in range(2):
            self.assertTrue(next(stays).HasField("heartbeat"))
        for token, role in (("first", "viewer"), ("third", "viewer"), ("fifth", "operator")):
            self.assertEqual(self.client(token=token).call("GetStatus").caller.role, role_number(role))
        self.assertEqual(list(self.client(token="fourth").call("GetStatus").caller.limits), ["network=10.0.0.0/8"])
        self.assertEqual(code_of(lambda: self.client(token="second").call("GetStatus")).code().name, "UNAUTHENTICATED")
        self.end(running)

    def test_a_broken_file_leaves_the_old_tokens_in_force(self):
        running = self.serve_tokens(("somebody", "viewer", "secret"))
        stream, complaints = self.follow("secret"), 0
        for text in ("somebody viewer 1234\n", "somebody king " + "ab" * 32 + "\n", "\0\n", "x" * 2_000_000, None):
            if text is None:
                self.tokens.unlink()
            else:
                self.replace(self.tokens, text)
            complaints += 1
            sensor.until(lambda: running.stderr().count("stay in force") >= complaints, 20, running.stderr)
            self.assertEqual(self.client(token="secret").call("GetStatus").caller.identity, "somebody")
        self.assertTrue(next(stream).HasField("heartbeat"))
        self.write_tokens(("another", "viewer", "secret"))
        self.assertEqual(code_of(lambda: list(stream)).code().name, "PERMISSION_DENIED")
        self.assertEqual(self.client(token="secret").call("GetStatus").caller.identity, "another")
        self.end(running)

    def test_a_file_that_is_wrong_at_the_start_is_told_with_its_line(self):
        tokens = self.replace(self.folder / "tokens", "# ours\nsomebody packets " + "ab" * 32 + " network=10.0.0.0/8\n")
        result = sensor.run("-r", sensor.CAPTURES / "browsing.pcap", "--grpc", "--grpc-port", 0, "--grpc-tokens-file",
                            tokens)
        self.assertIsNone(sensor.finding(result.stderr))
        self.assertEqual(result.returncode, sensor.USAGE)
        self.assertIn(f"{tokens}:2".encode(), result.stderr)


class Limits(ServerTest):
    """Clients 10.1.0.x are of the namespace shop, 10.1.1.x of bank; all of them ask 192.0.2.9."""

    def setUp(self):
        super().setUp()
        names = self.folder / "names.csv"
        names.write_text("10.1.0.0/24,till,shop,pod\n10.1.1.0/24,vault,bank,pod\n", encoding="ascii")
        tokens = self.write_tokens(("all", "viewer", "all"), ("shop", "viewer", "shop", "namespace=shop"),
                                   ("net", "viewer", "net", "network=10.1.1.0/24"),
                                   ("elsewhere", "viewer", "elsewhere", "node=another"))
        self.source, self.running = self.feed("--names-file", names, "--grpc-tokens-file", tokens, "--anomalies",
                                             timeout_s=10)
        self.everybody, self.shop, self.net = (self.client(token=name) for name in ("all", "shop", "net"))
        self.source.flows(0, 500, YEAR_2023, step=0.0001)
        self.source.flows(500, 1, YEAR_2023 + 3)  # 10.1.2.1, of neither; time goes on
        self.await_packets(500, self.everybody)

    def tearDown(self):
        self.source.end()
        self.end(self.running)
        super().tearDown()

    @staticmethod
    def clients(flows):
        return {flow.endpoint_a.ip if flow.endpoint_a.ip.startswith("10.") else flow.endpoint_b.ip for flow in flows}

    def seen_by(self, client):
        """Addresses of clients in all lists, which have to agree."""
        listed = list(client.call("ListFlows", page_size=1000).flows)
        self.assertEqual(self.clients(listed), self.clients(
            row.flow for row in client.call("TopFlows", limit=1000).rows))
        return self.clients(listed)

    def test_flows_outside_are_absent_everywhere(self):
        shop = {f"10.1.0.{host}" for host in range(1, 251)}
        bank = {f"10.1.1.{host}" for host in range(1, 251)}
        self.assertEqual(self.seen_by(self.everybody), shop | bank | {"10.1.2.1"})
        self.assertEqual(self.seen_by(self.shop), shop)
        self.assertEqual(self.seen_by(self.net), bank)
        known = {flow.id: flow for flow in self.everybody.call("ListFlows", page_size=1000).flows}
        for flow in self.net.call("ListFlows", page_size=1000).flows:
            self.assertTrue(flow.community_id.startswith("1:"))
            self.assertEqual(flow.community_id, known[flow.id].community_id)
        for flow in self.everybody.call("ListFlows", page_size=1000).flows:
            if not flow.id.endswith("0"):  # one of sixteen is enough
                continue
            owner, others = ((self.net, [self.shop]) if self.clients([flow]) <= bank else
                             (self.shop, [self.net]) if self.clients([flow]) <= shop else (self.everybody, [self.shop]))
            self.assertEqual(owner.call("GetFlow", id=flow.id).flow.id, flow.id)
            for denied in others:  # nothing tells it from one that never was
                self.assertEqual([reason_of(code_of(lambda number=number: denied.call("GetFlow", id=number)))
                                  for number in (flow.id, "0" * 32)], [("NOT_FOUND", "FLOW_NOT_FOUND")] * 2)

    def test_streams_hold_what_lies_inside(self):
        streams = [client.watch("WatchFlows", options={"follow": True}) for client in (self.shop, self.net)]
        for stream, limit in zip(streams, ("namespace=shop", "network=10.1.1.0/24")):
            self.assertEqual(list(next(stream).start.limits), [limit])
        self.source.flows(100_000, 1, YEAR_2023 + 30)
        self.source.flows(100_000, 1, YEAR_2023 + 33)
        for stream, network in zip(streams, ("10.1.0.", "10.1.1.")):
            found = set()
            for message in stream:
                self.assertEqual({event.sequence for event in message.events} | {0}, {0})
                found |= self.clients(event.flow for event in message.events)
                if len(found) >= 250:
                    break
            self.assertEqual(found, {f"{network}{host}" for host in range(1, 251)})
            stream.cancel()

    def test_what_is_asked_for_outside_is_refused_and_not_narrowed(self):
        flows = grpc_client.netscope("filter")
        outside = {
            self.net: [flows.EndpointFilter(networks=["10.1.0.5"]), flows.EndpointFilter(networks=["10.1.0.0/16"]),
                       flows.EndpointFilter(networks=["10.1.1.7", "192.0.2.9"])],
            self.shop: [flows.EndpointFilter(namespaces=["bank"]), flows.EndpointFilter(namespaces=["shop", "none"])],
        }
        for client, ends in outside.items():
            for end in ends:
                for name in ("ListFlows", "TopFlows"):
                    with self.subTest(end=str(end), method=name):
                        error = code_of(lambda: client.call(name, allow=[flows.FlowFilter(one_end=end)]))
                        self.assertEqual(reason_of(error), ("PERMISSION_DENIED", "OUTSIDE_LIMITS"))
                        fields = grpc_client.details(error)[1]["BadRequest"].field_violations
                        self.assertTrue(all(field.field.startswith("allow[0].one_end") for field in fields))
        inside = flows.FlowFilter(one_end=flows.EndpointFilter(networks=["10.1.1.7"]))
        self.assertEqual(self.clients(self.net.call("ListFlows", allow=[inside]).flows), {"10.1.1.7"})

    def test_hints_know_nothing_outside(self):
        for client, network in ((self.shop, "10.1.0."), (self.net, "10.1.1.")):
            hints = client.call("FilterHints", field="HINT_FIELD_ADDRESS", prefix="10.", limit=100)
            self.assertEqual(hints.matched, 250)
            self.assertEqual({hint.value.rpartition(".")[0] + "." for hint in hints.values}, {network})

    def test_totals_packets_and_settings_are_withheld(self):
        self.assertTrue(self.everybody.call("GetStats").HasField("counters"))
        for client in (self.shop, self.net):
            self.assertFalse(client.call("GetStats").HasField("counters"))
            self.assertFalse(client.call("GetStatus").HasField("ledger"))
            self.assertEqual(reason_of(code_of(lambda client=client: client.call("GetConfig"))),
                             ("PERMISSION_DENIED", "OUTSIDE_LIMITS"))
            for name in ("WatchPackets", "StreamPcap"):
                self.assertEqual(code_of(lambda client=client, name=name: next(client.watch(name))).code().name,
                                 "PERMISSION_DENIED")
            self.assertEqual(code_of(lambda client=client: client.call("GetPacket", id=1)).code().name,
                             "PERMISSION_DENIED")

    def test_alerts_outside_are_absent(self):
        stream = self.everybody.watch("WatchAlerts", options={"follow": True})
        next(stream)
        for network in (0, 1):
            self.source.send((YEAR_2023 + 20 + port / 1000,
                              feeding.syn_frame(f"10.1.{network}.9", 40000, "192.0.2.7", port)) for port in range(1, 60))
        self.source.flows(100_000, 1, YEAR_2023 + 40)
        found = set()
        for message in stream:
            found |= {source.ip for event in message.events for source in event.alert.sources}
            if {"10.1.0.9", "10.1.1.9"} <= found:
                break
        for client, own in ((self.shop, "10.1.0.9"), (self.net, "10.1.1.9")):
            parties = {party.ip for alert in client.call("ListAlerts").alerts
                       for party in (*alert.sources, *alert.targets)}
            self.assertEqual(parties, {own})

    def test_a_token_of_another_node_is_refused(self):
        self.assertEqual(reason_of(code_of(lambda: self.client(token="elsewhere").call("GetStatus"))),
                         ("PERMISSION_DENIED", "OTHER_NODE"))


class Tls(ServerTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder, "ours")
        self.other = Authority(self.folder, "theirs")
        self.certificate, self.key = self.authority.sign("server", "DNS:localhost", "IP:127.0.0.1")

    def serve_tls(self, *arguments):
        return self.serve("--grpc-tls", "--grpc-tls-cert", self.certificate, "--grpc-tls-key", self.key, *arguments)

    def secure(self, authority=None, pair=None, waits=True, **options):
        certificate, key = (path.read_bytes() for path in pair) if pair else (None, None)
        credentials = grpc.ssl_channel_credentials((authority or self.authority).pem, key, certificate)
        return self.client(credentials=credentials, waits=waits, **options)

    def expect_no_connection(self, client):
        self.assertEqual(code_of(lambda: client.call("GetStatus")).code().name, "UNAVAILABLE")

    def test_a_client_knows_the_server_by_its_ca_and_name(self):
        running = self.serve_tls()
        self.assertTrue(self.secure().call("GetStatus").instance_id)
        self.assertTrue(self.secure(target=f"localhost:{self.port}").call("GetStatus").instance_id)
        self.expect_no_connection(self.secure(self.other, waits=False))
        self.expect_no_connection(self.secure(
            waits=False, options=[("grpc.ssl_target_name_override", "other.example")]))
        self.expect_no_connection(self.client(waits=False))  # in plain text
        self.assertTrue(self.local().call("GetStatus").instance_id)  # the socket has no TLS
        self.assertTrue(self.secure().call("GetStatus").instance_id)
        self.end(running)

    def shake_hands(self, version):
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.set_alpn_protocols(["h2"])
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", self.port), 20) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as wrapped:
            return wrapped.version(), wrapped.selected_alpn_protocol()

    def test_versions_before_1_2_are_refused(self):
        running = self.serve_tls()
        self.assertEqual(self.shake_hands(ssl.TLSVersion.TLSv1_3), ("TLSv1.3", "h2"))
        self.assertEqual(self.shake_hands(ssl.TLSVersion.TLSv1_2), ("TLSv1.2", "h2"))
        for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
            with self.assertRaises(ssl.SSLError) as caught:
                self.shake_hands(version)
            self.assertEqual(caught.exception.reason, "TLSV1_ALERT_PROTOCOL_VERSION")
        self.assertTrue(self.secure().call("GetStatus").instance_id)
        self.end(running)

    def test_names_in_client_certificates_have_roles(self):
        running = self.serve_tls(
            "--grpc-tls-client-ca", self.authority.certificate,
            "--grpc-caller", "san=dns:admin.example operator", "--grpc-caller", "san=uri:spiffe://a/b packets",
            "--grpc-caller", "san=dns:shop.example viewer network=10.0.0.0/8")
        for names, identity, role, limits in (
                (("DNS:admin.example",), "dns:admin.example", "operator", []),
                (("DNS:ADMIN.example",), "dns:ADMIN.example", "operator", []),
                (("DNS:none.example", "URI:spiffe://a/b"), "uri:spiffe://a/b", "packets", []),
                (("DNS:shop.example",), "dns:shop.example", "viewer", ["network=10.0.0.0/8"])):
            with self.subTest(names=names):
                caller = self.secure(pair=self.authority.sign("client", *names)).call("GetStatus").caller
                self.assertEqual((caller.identity, caller.role, list(caller.limits)),
                                 (identity, role_number(role), limits))
        stranger = self.secure(pair=self.authority.sign("client", "DNS:none.example", "URI:spiffe://a/B"))
        self.assertEqual(reason_of(code_of(lambda: stranger.call("GetStatus"))),
                         ("UNAUTHENTICATED", "CERTIFICATE_UNKNOWN"))
        self.end(running)

    def test_without_a_certificate_of_the_ca_nobody_gets_in(self):
        running = self.serve_tls("--grpc-tls-client-ca", self.authority.certificate,
                                 "--grpc-caller", "san=dns:admin.example operator")
        self.expect_no_connection(self.secure(waits=False))
        self.expect_no_connection(self.secure(pair=self.other.sign("client", "DNS:admin.example"), waits=False))
        good = self.secure(pair=self.authority.sign("client", "DNS:admin.example"))
        self.assertEqual(good.call("GetStatus").caller.identity, "dns:admin.example")
        self.end(running)

    def mount(self, name, pair):
        """Puts a pair in place as the kubelet does: a folder of its own, and one link to it that is replaced."""
        folder, link, new = self.folder / name, self.folder / "..data", self.folder / "..data_tmp"
        folder.mkdir()
        for path, target in zip(pair, ("tls.crt", "tls.key")):
            (folder / target).write_bytes(path.read_bytes())
        new.symlink_to(name)
        os.replace(new, link)
        return link / "tls.crt", link / "tls.key"

    def shown(self):
        return ssl.get_server_certificate(("127.0.0.1", self.port)).strip()

    def test_replaced_files_are_for_new_connections(self):
        first = (self.certificate, self.key)
        second = self.authority.sign("second", "DNS:localhost", "IP:127.0.0.1")
        self.certificate, self.key = self.mount("..1", first)
        running = self.serve_tls()
        stream = self.secure().watch("WatchAlerts", options={"follow": True, "heartbeat_interval": {"seconds": 1}})
        next(stream)
        self.assertIn(self.shown(), first[0].read_text(encoding="ascii"))
        self.mount("..2", (second[0], first[1]))  # a key that is none of this certificate
        sensor.until(lambda: "..data" in running.stderr(), 30, lambda: "nothing was said of the wrong pair")
        self.assertIn(self.shown(), first[0].read_text(encoding="ascii"))
        self.mount("..3", second)
        sensor.until(lambda: self.shown() in second[0].read_text(encoding="ascii"), 30, running.stderr)
        self.assertTrue(self.secure().call("GetStatus").instance_id)
        self.assertTrue(next(stream).HasField("heartbeat"))
        self.assertTrue(next(stream).HasField("heartbeat"))
        self.end(running)


@unittest.skipIf(os.geteuid() != 0, "takes the place of other users: needs root")
class LocalUsers(ServerTest):
    @contextlib.contextmanager
    def user(self, uid, gid):
        """Connects as somebody else: the socket tells who it was at that moment."""
        os.setegid(gid)
        os.seteuid(uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)

    def caller(self, uid, gid):
        client = self.local(options=[("grpc.use_local_subchannel_pool", 1)])
        with self.user(uid, gid):
            grpc.channel_ready_future(client.channel).result(timeout=20)
        return client.call("GetStatus").caller

    def test_uid_before_gid_before_everybody_else(self):
        running = self.serve("--grpc-caller", "gid=65001 packets", "--grpc-caller", "uid=65002 operator",
                             "--grpc-caller", "uid=65003 viewer network=10.0.0.0/8")
        self.folder.chmod(0o755)
        sensor.until(self.socket.exists, 20, running.stderr)
        self.socket.chmod(0o666)
        for uid, gid, identity, role, limits in (
                (65002, 65001, "uid 65002", "operator", []), (65004, 65001, "uid 65004", "packets", []),
                (65003, 65001, "uid 65003", "viewer", ["network=10.0.0.0/8"]),
                (65004, 65004, "uid 65004", "viewer", []), (0, 0, "uid 0", "viewer", [])):
            with self.subTest(uid=uid, gid=gid):
                caller = self.caller(uid, gid)
                self.assertEqual((caller.identity, caller.role, list(caller.limits)),
                                 (identity, role_number(role), limits))
        self.end(running)

    def test_the_mode_of_the_socket_keeps_others_out(self):
        running = self.serve()
        self.folder.chmod(0o755)
        sensor.until(self.socket.exists, 20, running.stderr)
        with self.user(65004, 65004), socket.socket(socket.AF_UNIX) as client:
            with self.assertRaises(PermissionError):
                client.connect(str(self.socket))
        self.end(running)


if __name__ == "__main__":
    sensor.main()
