"""Who calls the API, and what he sees: tokens and their file, certificates, users of the socket, limits."""

import hashlib
import os
import subprocess

import capture_file
import grpc_client
import sensor
from test_grpc import CAPTURE, ServerTest, code_of

grpc = grpc_client.grpc
MINE = "142.250.0.0/15"  # of the capture's servers some


def line(name, role, token, *limits):
    return " ".join((name, role, hashlib.sha256(token.encode()).hexdigest(), *limits)) + "\n"


def reason_of(call):
    """(code, reason, paths) of a call that has to fail."""
    error = code_of(call)
    _, found = grpc_client.details(error)
    paths = [violation.field for violation in found["BadRequest"].field_violations] if "BadRequest" in found else []
    return error.code().name, found["ErrorInfo"].reason, paths


class TokensTest(ServerTest):
    def write(self, *lines):
        path, new = self.folder / "tokens", self.folder / "tokens.new"
        new.write_text("".join(lines), encoding="ascii")
        new.chmod(0o600)
        new.rename(path)
        return path

    def caller(self, token):
        return self.client(token=token)


class Tokens(TokensTest):
    def test_a_call_is_its_tokens(self):
        running = self.serve("--grpc-tokens-file",
                             self.write("# who may\n", line("look", "viewer", "a"), line("boss", "operator", "b")))
        for token, reason in ((None, "CREDENTIALS_MISSING"), ("c", "TOKEN_UNKNOWN"), ("a b", "CREDENTIALS_MALFORMED")):
            self.assertEqual(reason_of(lambda token=token: self.caller(token).call("GetStatus")),
                             ("UNAUTHENTICATED", reason, []))
        self.assertEqual(self.caller("a").call("GetStatus").caller.identity, "look")
        self.assertEqual(reason_of(lambda: self.caller("a").call("ApplyConfig", dry_run=True))[:2],
                         ("PERMISSION_DENIED", "ROLE_TOO_LOW"))
        self.assertTrue(self.caller("b").call("ApplyConfig", dry_run=True).etag)
        self.end(running)

    def test_a_file_that_is_wrong_is_told_at_the_start(self):
        path = self.write(line("look", "viewer", "a"), "look reader x\n")
        result = sensor.run("-r", CAPTURE, "--grpc", "--grpc-port", 0,
                            "--grpc-tokens-file", path)
        self.check(result, code=sensor.USAGE, said=f"{path}:2")
        self.check(sensor.run("--check-config", "--grpc", "--grpc-caller", "uid=x viewer"), code=sensor.USAGE,
                   said="grpc.auth.callers")

    def test_streams_end_when_the_file_says_so(self):
        running = self.serve("--grpc-tokens-file",
                             self.write(*(line(name, "viewer", name) for name in ("kept", "gone", "less"))))
        streams = {name: self.caller(name).watch("WatchAlerts", timeout=30, options={"follow": True})
                   for name in ("kept", "gone", "less")}
        for stream in streams.values():
            self.assertTrue(next(stream).HasField("start"))
        self.write(line("kept", "viewer", "kept"), line("less", "viewer", "less", "namespace=shop"))
        for name, want in (("gone", ("UNAUTHENTICATED", "CREDENTIALS_GONE", [])),
                           ("less", ("PERMISSION_DENIED", "RIGHTS_CHANGED", []))):
            self.assertEqual(reason_of(lambda name=name: list(streams[name])), want)
        self.assertEqual(reason_of(lambda: self.caller("gone").call("GetStatus"))[1], "TOKEN_UNKNOWN")
        self.assertEqual(self.caller("less").call("GetStatus").caller.limits, ["namespace=shop"])
        self.write("less viewer\n")  # wrong, and not taken
        sensor.until(lambda: "stay in force" in running.stderr(), 10, running.stderr)
        self.assertTrue(self.caller("kept").call("GetStatus").caller.identity)
        self.assertTrue(streams["kept"].is_active())
        self.end(running)


class Limits(TokensTest):
    def test_only_what_lies_inside_is_seen(self):
        names = self.folder / "names.csv"
        names.write_text("142.250.77.202,inside,shop,\n10.10.0.0/16,laptop,home,\n", encoding="ascii")
        running = self.serve("--names-file", names, "--flow-timeout-s", 0, "--grpc-tokens-file", self.write(
            line("all", "viewer", "all"), line("shop", "viewer", "shop", f"network={MINE}"),
            line("home", "viewer", "home", "namespace=home"), line("away", "viewer", "away", "node=elsewhere")))
        everybody = self.caller("all")
        packets = len(capture_file.read_frames(CAPTURE))
        sensor.until(lambda: everybody.call("GetStats").counters.packets_analysed >= packets, 60, running.stderr)
        every = everybody.call("ListFlows", page_size=1000).flows
        shop, home = self.caller("shop"), self.caller("home")
        inside = {flow.id for flow in every if flow.endpoint_b.ip.startswith(("142.250.", "142.251."))}
        seen = shop.call("ListFlows", page_size=1000)
        self.assertTrue(inside)
        self.assertEqual({flow.id for flow in seen.flows}, inside)
        self.assertEqual((seen.total, list(seen.limits)), (len(inside), [f"network={MINE}"]))
        for flow in seen.flows:
            self.assertEqual(list(flow.withheld), ["endpoint_a.name", "endpoint_a.namespace"])
            self.assertFalse(flow.endpoint_a.HasField("name"))
        self.assertEqual({flow.id for flow in home.call("ListFlows", page_size=1000).flows},
                         {flow.id for flow in every if flow.endpoint_a.namespace == "home"})
        outside = next(flow.id for flow in every if flow.id not in inside)
        self.assertEqual(reason_of(lambda: shop.call("GetFlow", id=outside))[:2], ("NOT_FOUND", "FLOW_NOT_FOUND"))
        self.refuses(shop)
        self.assertEqual(reason_of(lambda: self.caller("away").call("GetStatus"))[:2],
                         ("PERMISSION_DENIED", "OTHER_NODE"))
        self.end(running)

    def refuses(self, shop):
        flows = grpc_client.netscope("filter")
        named = flows.FlowFilter(one_end=flows.EndpointFilter(networks=["10.10.0.0/16"]))
        self.assertEqual(reason_of(lambda: shop.call("ListFlows", allow=[named])),
                         ("PERMISSION_DENIED", "OUTSIDE_LIMITS", ["allow[0].one_end.networks[0]"]))
        status = shop.call("GetStatus")
        self.assertFalse(status.HasField("ledger") or status.detectors)
        self.assertFalse(shop.call("GetStats").HasField("counters"))
        start = next(shop.watch("WatchFlows", options={"follow": True}))
        self.assertEqual((start.start.oldest_available, list(start.start.limits)), (0, [f"network={MINE}"]))


class Certificates(ServerTest):
    """Of a CA made here."""

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, cwd=self.folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def make(self, name, san):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr", "-subj", f"/CN={name}", "-addext", f"subjectAltName={san}")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", "2", "-copy_extensions", "copy", "-out", f"{name}.pem")

    def credentials(self, name):
        read = {end: (self.folder / end).read_bytes() for end in ("ca.pem", f"{name}.key", f"{name}.pem")}
        return grpc.ssl_channel_credentials(*read.values())

    def test_names_in_certificates_are_callers(self):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                     "ca.key", "-out", "ca.pem", "-subj", "/CN=test", "-days", "2")
        for name, san in (("server", "IP:127.0.0.1"), ("client", "DNS:client.example,DNS:more.example"),
                          ("stranger", "DNS:stranger.example")):
            self.make(name, san)
        files = {name: self.folder / name for name in ("server.pem", "server.key", "ca.pem")}
        running = self.serve("--grpc-tls", "--grpc-tls-cert", files["server.pem"], "--grpc-tls-key",
                             files["server.key"], "--grpc-tls-client-ca", files["ca.pem"],
                             "--grpc-caller", f"san=dns:MORE.example viewer network={MINE}")
        caller = self.client(credentials=self.credentials("client")).call("GetStatus").caller
        self.assertEqual((caller.identity, list(caller.limits)), ("dns:more.example", [f"network={MINE}"]))
        stranger = self.client(credentials=self.credentials("stranger"))
        self.assertEqual(reason_of(lambda: stranger.call("GetStatus"))[:2],
                         ("UNAUTHENTICATED", "CERTIFICATE_UNKNOWN"))
        self.end(running)


class Socket(ServerTest):
    def test_its_users_are_callers(self):
        running = self.serve("--grpc-caller", f"uid={os.getuid()} operator")
        caller = self.client(f"unix:{self.socket}").call("GetStatus").caller
        self.assertEqual((caller.identity, caller.role),
                         (f"uid {os.getuid()}", grpc_client.netscope("sensor").ROLE_OPERATOR))
        self.assertEqual(self.client().call("GetStatus").caller.identity, "anonymous")
        self.end(running)


del ServerTest, TokensTest

if __name__ == "__main__":
    sensor.main()
