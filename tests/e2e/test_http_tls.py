"""The HTTP servers by TLS: with a certificate of the sensor's own making, with given ones and with new ones in their place; who may
listen beyond loopback; and what signals do."""

import hashlib
import re
import signal
import socket
import ssl
import subprocess
import time
import unittest

import feeding
import sensor
import web_client
from certificates import Authority
from web_client import BINARY, TEXT, WebSocket, ask, basic, call
from web_test import WebTest

STATS = "/ws/netscope.v1.StatsService/WatchStats"
BOSS = "boss operator 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d\n"  # the SHA-256 of "b"
BY_TOKEN = {"Authorization": "Bearer b"}


def unchecked():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def shown(port):
    """The certificate that a port shows, in DER."""
    with socket.create_connection(("127.0.0.1", port), 20) as plain, unchecked().wrap_socket(plain) as connection:
        return connection.getpeercert(binary_form=True)


class TlsTest(WebTest):
    def secret(self, name, text):
        path = self.folder / name
        new = path.with_suffix(".new")
        new.write_text(text, encoding="ascii")
        new.chmod(0o600)
        new.replace(path)
        return path


class OwnCertificate(TlsTest):
    def test_a_port_without_one_makes_one_and_tells_its_fingerprint(self):
        running = self.serve("--web-tls", "--metrics-tls")
        found = {port: shown(port) for port in (self.port, self.metrics_port)}
        told = re.findall(r"(web|metrics) made a certificate itself.* fingerprint is ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})", running.stderr())
        digests = {name: text.replace(":", "").lower() for name, text in told}
        self.assertEqual(digests, {"web": hashlib.sha256(found[self.port]).hexdigest(),
                                   "metrics": hashlib.sha256(found[self.metrics_port]).hexdigest()})
        text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-text"], input=found[self.port],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        for part in ("NIST CURVE: P-256", "DNS:localhost", "IP Address:127.0.0.1", "TLS Web Server Authentication", "CA:FALSE"):
            self.assertIn(part, text)
        # A client that was told to trust this very certificate does, by address and by name.
        pinned = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(found[self.port]))
        self.assertEqual(call(self.port, "SensorService/GetStatus", tls=pinned).code, 200)
        self.assertEqual(ask(self.port, "GET", "/", tls=pinned, host="localhost").code, 200)
        self.assertIn(b"netscope_certificate_expiry_timestamp_seconds{",
                      ask(self.metrics_port, "GET", "/metrics", tls=unchecked()).body)
        self.end(running)

    def test_plain_requests_get_nothing_and_disturb_nobody(self):
        running = self.serve("--web-tls")
        self.assertNotIn(b"HTTP/1.1 200", web_client.raw(self.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        self.assertEqual(ask(self.port, "GET", "/", tls=unchecked()).code, 200)
        self.end(running)


class GivenCertificate(TlsTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder, "authority")
        self.trusting = ssl.create_default_context(cafile=self.authority.certificate)
        self.certificate, self.key = self.authority.sign("server", "IP:127.0.0.1", "DNS:localhost")

    def serve_by_tls(self, *arguments):
        return self.serve("--web-tls", "--web-tls-cert", self.certificate, "--web-tls-key", self.key, "--metrics-tls",
                          "--metrics-tls-cert", self.certificate, "--metrics-tls-key", self.key, *arguments)

    def test_calls_streams_and_metrics(self):
        running = self.serve_by_tls("--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "secret")
        tls = self.trusting
        self.assertEqual(call(self.port, "SensorService/GetStatus", tls=tls).code, 401)
        self.assertEqual(call(self.port, "SensorService/GetStatus", headers=basic("ann", "secret"), tls=tls).json()["caller"]["identity"], "ann")
        ticket = ask(self.port, "POST", "/ticket", headers=basic("ann", "secret"), tls=tls).json()["ticket"]
        with WebSocket(self.port, STATS, [f"Sec-WebSocket-Protocol: netscope, {ticket}"], tls=tls) as stream:
            stream.send(BINARY)
            for _ in range(3):
                self.assertEqual(stream.receive()[0], BINARY)
        self.assertEqual(ask(self.metrics_port, "GET", "/metrics", tls=tls).code, 200)
        self.assertEqual(ask(self.metrics_port, "GET", "/readyz", tls=tls).code, 200)
        self.end(running)

    def test_an_origin_is_of_the_scheme_that_the_port_speaks(self):
        running = self.serve_by_tls()
        for scheme, code in (("https", 200), ("http", 403)):
            headers = {"Origin": f"{scheme}://127.0.0.1:{self.port}"}
            self.assertEqual(call(self.port, "SensorService/GetStatus", headers=headers, tls=self.trusting).code, code)
        self.end(running)

    def test_a_client_certificate_is_somebody(self):
        running = self.serve_by_tls("--web-tls-client-ca", self.authority.certificate, "--web-caller", "san=dns:shop.example packets")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            call(self.port, "SensorService/GetStatus", tls=self.trusting)
        showing = ssl.create_default_context(cafile=self.authority.certificate)
        showing.load_cert_chain(*self.authority.sign("client", "DNS:shop.example"))
        caller = call(self.port, "SensorService/GetStatus", tls=showing).json()["caller"]
        self.assertEqual((caller["identity"], caller["role"]), ("dns:shop.example", "ROLE_PACKETS"))
        self.end(running)

    def test_new_files_are_read_and_wrong_ones_are_not_taken(self):
        """By SIGHUP at once; by themselves in seconds. Connections that are there go on."""
        running = self.serve_by_tls()
        first = shown(self.port)
        with WebSocket(self.port, STATS, tls=self.trusting) as stream:
            stream.send(BINARY)
            self.assertEqual(stream.receive()[0], BINARY)
            self.authority.sign("server", "IP:127.0.0.1", "DNS:localhost")
            running.process.send_signal(signal.SIGHUP)
            sensor.until(lambda: shown(self.port) != first, 20, running.stderr)
            self.assertEqual(call(self.port, "SensorService/GetStatus", tls=self.trusting).code, 200)
            second = shown(self.port)
            self.key.write_text("nothing", encoding="ascii")
            running.process.send_signal(signal.SIGHUP)
            sensor.until(lambda: "the certificate before stays in use" in running.stderr(), 20, running.stderr)
            self.assertEqual(shown(self.port), second)
            self.authority.sign("server", "IP:127.0.0.1", "DNS:localhost")  # without a signal
            sensor.until(lambda: shown(self.port) != second, 30, running.stderr)
            self.assertEqual(stream.receive()[0], BINARY)
        self.end(running)


class Binding(TlsTest):
    CAPTURE = ("-r", sensor.CAPTURES / "browsing.pcap")

    def refused(self, said, *arguments):
        for check in ((), ("--check-config",)):
            self.check(sensor.run(*self.CAPTURE, *check, "--web", *arguments), code=sensor.USAGE, said=said)

    def test_beyond_loopback_it_takes_tls_and_callers_or_a_word(self):
        way = r"web.bind \(0.0.0.0\) is reached from other machines: set web.tls.enabled, and web.auth.enabled, web.auth.tokens_file"
        tokens = self.secret("tokens", BOSS)
        self.refused(way, "--web-bind", "0.0.0.0")
        self.refused(way, "--web-bind", "0.0.0.0", "--web-tls")
        self.refused(way, "--web-bind", "0.0.0.0", "--web-tokens-file", tokens)
        self.refused(r"web.bind \(::\)", "--web-bind", "::")
        for good in (("--web-tls", "--web-tokens-file", tokens), ("--web-tls", "--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "x"),
                     ("--web-insecure",)):
            self.check(sensor.run(*self.CAPTURE, "--check-config", "--web", "--web-bind", "0.0.0.0", *good))

    def test_a_certificate_and_its_key_belong_together(self):
        for flag in ("--web-tls-cert", "--web-tls-key"):
            self.refused("web.tls.cert_path and web.tls.key_path belong together", "--web-tls", flag, self.folder / "x")

    def test_proxies_are_addresses(self):
        for wrong in ("proxy.example", "10.0.0.1/8", "10.0.0.0/33"):
            self.refused("web.trusted_proxies: .* is no address and no network", "--web-trusted-proxy", wrong)
        self.check(sensor.run(*self.CAPTURE, "--check-config", "--web", "--web-trusted-proxy", "10.0.0.0/8", "--web-trusted-proxy", "::1"))

    def test_a_base_path_is_a_path(self):
        for wrong in ("netscope", "/netscope/", "/", "/a//b", "/../x", "/a b"):
            self.refused(r"web.base_path \(", "--web-base-path", wrong)

    def test_it_serves_other_addresses_to_who_is_known(self):
        tokens = self.secret("tokens", BOSS)
        running = self.serve("--web-bind", "0.0.0.0", "--web-tls", "--web-tokens-file", tokens)
        for host in ("127.0.0.1", "127.0.0.2"):
            self.assertEqual(call(self.port, "SensorService/GetStatus", tls=unchecked(), host=host).code, 401)
            self.assertEqual(call(self.port, "SensorService/GetStatus", headers=BY_TOKEN, tls=unchecked(), host=host).code, 200)
        self.end(running)


class Signals(TlsTest):
    def test_hangup_reads_tokens_and_passwords_again(self):
        tokens, password = self.secret("tokens", BOSS), self.secret("password", "one\n")
        running = self.serve("--web-tokens-file", tokens, "--web-auth", "--web-auth-user", "ann", "--web-auth-pass-file", password)

        def answers(headers):
            return call(self.port, "SensorService/GetStatus", headers=headers).code

        self.assertEqual((answers(BY_TOKEN), answers(basic("ann", "one"))), (200, 200))
        with WebSocket(self.port, STATS, [f"Authorization: {BY_TOKEN['Authorization']}"]) as stream:
            stream.send(BINARY)
            self.assertEqual(stream.receive()[0], BINARY)
            self.secret("tokens", BOSS.replace("3e23", "0000"))
            self.secret("password", "two\n")
            running.process.send_signal(signal.SIGHUP)
            sensor.until(lambda: answers(BY_TOKEN) == 401, 20, running.stderr)
            sensor.until(lambda: answers(basic("ann", "two")) == 200, 20, running.stderr)
            self.assertEqual(answers(basic("ann", "one")), 401)
            while (frame := stream.receive())[0] == BINARY:
                continue
            self.assertEqual(frame[0], TEXT)
            self.assertIn(b"unauthenticated", frame[1])
        self.end(running)

    def test_the_end_is_in_order_with_all_kinds_of_clients(self):
        """Streams are told, requests half sent and answers not read do not hold it up, and nothing leaks."""
        running = self.serve("--web-tls")
        tls = unchecked()
        streams = [WebSocket(self.port, STATS, tls=tls) for _ in range(10)]
        for stream in streams[:6]:
            stream.send(BINARY)
            self.assertEqual(stream.receive()[0], BINARY)
        half = [tls.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 20)) for _ in range(3)]
        half[0].sendall(b"GET / HT")
        half[1].sendall(b"POST /netscope.v1.SensorService/GetStatus HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Length: 50\r\n\r\n{")
        running.process.send_signal(signal.SIGTERM)
        for number, stream in enumerate(streams):
            self.assertEqual(stream.closing_code(), 1000 if number < 6 else 1001)
        self.end(running)
        for connection in (*half, *(stream.connection for stream in streams)):
            connection.close()

    def test_the_end_comes_at_every_moment_of_the_start(self):
        for number in range(8):
            port = feeding.free_port()
            running = sensor.Running("-r", sensor.CAPTURES / "browsing.pcap", "--report", "none", "--web", "--web-port", port, "--web-tls")
            self.addCleanup(running.close)
            running.await_signals(signal.SIGTERM)
            time.sleep(number * 0.02)
            self.end(running)


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    sensor.main()
