"""The API by HTTP: calls by Connect, streams by WebSocket, the page's files, and what clients must not get away with."""

import base64
import json
import signal
import socket
import threading
import time

import sensor
import web_client
from web_client import BINARY, CLOSE, PING, PONG, TEXT, Refused, WebSocket, ask, basic, call, raw
from web_test import WebTest

STATS = "/ws/netscope.v1.StatsService/WatchStats"
FLOWS = "/ws/netscope.v1.FlowService/WatchFlows"
JSON = {"Content-Type": "application/json"}


class Calls(WebTest):
    def test_a_list_is_that_of_the_export(self):
        export = self.folder / "flows.json"
        self.check(sensor.run("-r", self.capture(), "--export-json", export, "--report", "none"))
        running = self.serve()
        self.await_analysed()
        found, token = {}, ""
        while True:
            page = call(self.port, "FlowService/ListFlows", {"pageSize": 5, "page_token": token}).json()
            found |= {flow["id"]: flow for flow in page["flows"]}
            token = page.get("next_page_token", "")
            if not token:
                break
        alive = {flow["id"]: flow for flow in sensor.load_json(export) if flow["reason"] == "end"}
        self.assertEqual({number: flow["bytes_total"] for number, flow in found.items()},
                         {number: flow["bytes_total"] for number, flow in alive.items()})
        some = next(iter(found.values()))
        self.assertRegex(some["first_seen"], r"^20\d\d-\d\d-\d\dT[\d:.]+Z$")
        self.assertTrue(some["direction"].startswith("DIRECTION_"))
        self.assertNotIn(None, some.values(), "what is absent is left out")
        self.end(running)

    @staticmethod
    def capture():
        return sensor.CAPTURES / "browsing.pcap"

    def test_proto_is_answered_by_proto(self):
        running = self.serve()
        answer = ask(self.port, "POST", "/grpc.health.v1.Health/Check", b"", {"Content-Type": "application/proto"})
        self.assertEqual((answer.code, answer.headers["content-type"], answer.body), (200, "application/proto", b"\x08\x01"))
        answer = call(self.port, "../grpc.health.v1.Health/Check")
        self.assertEqual(answer.code, 404)
        self.end(running)

    def test_errors_are_connects(self):
        running = self.serve()
        bad = call(self.port, "FlowService/ListFlows", {"allow": [{"client": {"networks": ["ten"]}}]})
        self.assertEqual((bad.code, bad.json()["code"]), (400, "invalid_argument"))
        types = [detail["type"] for detail in bad.json()["details"]]
        self.assertEqual(types, ["google.rpc.ErrorInfo", "google.rpc.BadRequest"])
        self.assertFalse(any("=" in detail["value"] for detail in bad.json()["details"]))
        violation = base64.b64decode(bad.json()["details"][1]["value"] + "==")
        self.assertIn(b"allow[0].client.networks[0]", violation)
        for code, name, method, headers in (
                (404, "unimplemented", "FlowService/ListFlowz", {}),
                (415, "invalid_argument", "FlowService/ListFlows", {"Content-Type": "text/plain"}),
                (501, "unimplemented", "FlowService/ListFlows", {"Content-Encoding": "gzip"}),
                (400, "invalid_argument", "FlowService/ListFlows", {"Connect-Protocol-Version": "2"}),
                (501, "unimplemented", "FlowService/WatchFlows", {}),
                (403, "permission_denied", "SensorService/ApplyConfig", {}),
                (400, "invalid_argument", "FlowService/GetFlow", {})):
            answer = call(self.port, method, headers=headers)
            self.assertEqual((answer.code, answer.json()["code"]), (code, name), (method, headers))
        got = ask(self.port, "GET", "/netscope.v1.FlowService/ListFlows")
        self.assertEqual((got.code, got.headers["allow"], got.json()["code"]), (405, "POST", "unimplemented"))
        self.end(running)

    def test_every_answer_is_guarded(self):
        running = self.serve()
        for answer in (ask(self.port, "GET", "/"), ask(self.port, "GET", "/x"), call(self.port, "SensorService/GetStatus")):
            headers = answer.headers
            self.assertEqual((headers["x-content-type-options"], headers["referrer-policy"]), ("nosniff", "no-referrer"))
            self.assertIn("frame-ancestors 'none'", headers["content-security-policy"])
            self.assertNotIn("unsafe", headers["content-security-policy"])
        self.end(running)


class Trust(WebTest):
    def test_a_name_that_is_not_ours_is_refused(self):
        running = self.serve("--web-allowed-host", "sensor.example")
        for host, code in ((f"127.0.0.1:{self.port}", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("sensor.example:8443", 200),
                           ("evil.example", 403), ("127.0.0.2", 403), ("localhost.evil.example", 403), ("[::1]", 403),
                           ("sensor.example.evil", 403), ("127.0.0.1:80@evil", 403)):
            answer = call(self.port, "SensorService/GetStatus", headers={"Host": host})
            self.assertEqual(answer.code, code, host)
        self.end(running)

    def test_a_page_from_elsewhere_is_refused(self):
        """Another service of an allowed name, too; a whole origin may be allowed."""
        running = self.serve("--web-allowed-host", "sensor.example", "--web-allowed-host", "https://page.example")
        for origin, code in ((f"http://127.0.0.1:{self.port}", 200), ("https://page.example", 200), ("null", 403),
                             ("http://evil.example", 403), (f"http://127.0.0.1:{self.port}.evil", 403), ("", 403),
                             ("http://sensor.example:9999", 403), ("http://127.0.0.1:1", 403), ("http://page.example", 403)):
            answer = call(self.port, "SensorService/GetStatus", headers={"Origin": origin})
            self.assertEqual(answer.code, code, origin)
            self.assertEqual(ask(self.port, "POST", "/ticket", headers={"Origin": origin}).code, code, origin)
            if code == 403:
                with self.assertRaises(Refused) as refused:
                    WebSocket(self.port, STATS, [f"Origin: {origin}"])
                self.assertEqual(refused.exception.code, 403)
        self.end(running)

    def test_who_tries_passwords_is_slowed_down(self):
        running = self.serve("--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "secret")
        self.assertEqual(call(self.port, "SensorService/GetStatus", headers=basic("ann", "secret")).code, 200)
        began = time.monotonic()
        codes = [ask(self.port, "GET", "/metrics", headers=basic("ann", str(number))).code for number in range(1000)]
        allowed = 10 + (time.monotonic() - began) / 2 + 1
        self.assertLessEqual(codes.count(401), allowed, "a thousand passwords were looked at")
        self.assertEqual(set(codes), {401, 429})
        answer = call(self.port, "SensorService/GetStatus", headers=basic("ann", "secret"))
        self.assertEqual((answer.code, answer.json()["caller"]["identity"]), (200, "ann"), "who was here before is served")
        self.end(running)

    def test_forwarded_headers_count_from_trusted_proxies_only(self):
        """By whom they slow down who tries passwords, and by which page they let in."""
        secret = ("--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "secret")
        for trusted in (True, False):
            running = self.serve(*secret, *(["--web-trusted-proxy", "127.0.0.0/8"] if trusted else []))

            def codes(name, header):
                return {call(self.port, "SensorService/GetStatus",
                             headers=basic("ann", str(number)) | {name: header.format(number)}).code for number in range(40)}

            apart = codes("X-Forwarded-For", "6.6.6.6, 192.0.2.{0}")  # each by itself has tried but once
            self.assertEqual(apart, {401} if trusted else {401, 429})
            self.assertIn(429, codes("Forwarded", "for=198.51.100.7"), "one has tried all of these")
            self.end(running)

    def test_a_page_behind_a_proxy_is_of_the_host_that_was_asked_for(self):
        host = "127.0.0.1:9000"  # the proxy's
        for trusted in (True, False):
            running = self.serve("--web-insecure", *(["--web-trusted-proxy", "127.0.0.1"] if trusted else []))
            for headers, code in (
                    ({"Origin": f"http://{host}", "X-Forwarded-Host": host}, 200),
                    ({"Origin": f"https://{host}", "X-Forwarded-Host": host}, 403),
                    ({"Origin": f"https://{host}", "X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}, 200),
                    ({"Origin": f"http://{host}", "X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}, 403),
                    ({"Origin": f"https://{host}", "Forwarded": f'for=192.0.2.1;host="{host}";proto=https'}, 200),
                    ({"Origin": f"https://{host}", "Forwarded": f'host="{host}";proto=https', "X-Forwarded-Host": host}, 403)):
                answer = call(self.port, "SensorService/GetStatus", headers=headers)
                self.assertEqual(answer.code, code if trusted else 403, (trusted, headers))
            # A name that points at the proxy is no better than one that points here, and the Host itself has to be right as well.
            for headers, refused in (({"X-Forwarded-Host": "evil.example"}, trusted), ({"Host": "evil.example", "X-Forwarded-Host": host}, True)):
                self.assertEqual(call(self.port, "SensorService/GetStatus", headers=headers).code, 403 if refused else 200)
            self.end(running)

    def test_a_caller_behind_a_proxy_is_no_caller_from_loopback(self):
        running = self.serve("--web-trusted-proxy", "127.0.0.1")
        for sent, code in (("127.0.0.1", 200), ("203.0.113.5", 401), ("unknown", 401), ('"x, 203.0.113.5', 401)):
            self.assertEqual(call(self.port, "SensorService/GetStatus", headers={"X-Forwarded-For": sent}).code, code, sent)
        self.end(running)

    def test_two_behind_one_address_are_both_remembered_and_tokens_are_never_held_up(self):
        tokens = self.folder / "tokens"
        tokens.write_text("boss operator 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d\n", encoding="ascii")  # of "b"
        tokens.chmod(0o600)
        running = self.serve("--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "secret", "--web-tokens-file", tokens,
                             "--web-trusted-proxy", "127.0.0.1")

        def code(secret, sent):
            return call(self.port, "SensorService/GetStatus", headers=secret | {"X-Forwarded-For": sent}).code

        token = {"Authorization": "Bearer b"}
        self.assertEqual(code(basic("ann", "secret"), "192.0.2.1"), 200)
        tried = {code(basic("ann", str(number)), f"198.51.100.{number % 200}") for number in range(600)}
        self.assertEqual(tried, {401, 429}, "the budget of all is spent")
        self.assertEqual((code(basic("ann", "secret"), "192.0.2.1"), code(token, "192.0.2.2"), code(token, "198.51.100.7")), (200, 200, 200))
        self.end(running)

    def test_tokens_of_the_api_hold_here(self):
        tokens = self.folder / "tokens"
        tokens.write_text("boss operator 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d\n"  # of "b"
                          "shop viewer ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb network=10.0.0.0/8\n",
                          encoding="ascii")
        tokens.chmod(0o600)
        running = self.serve("--web-tokens-file", tokens)
        self.assertEqual(call(self.port, "SensorService/GetStatus").code, 401)
        status = call(self.port, "SensorService/GetStatus", headers={"Authorization": "Bearer b"}).json()
        self.assertEqual(status["caller"], {"identity": "boss", "role": "ROLE_OPERATOR"} | status["caller"])
        self.assertEqual(ask(self.port, "GET", "/metrics", headers={"Authorization": "Bearer b"}).code, 200)
        self.assertEqual(ask(self.port, "GET", "/metrics", headers={"Authorization": "Bearer a"}).reason, "OUTSIDE_LIMITS")
        self.end(running)


class Framing(WebTest):
    HEAD = "POST /netscope.v1.SensorService/GetStatus HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

    def test_a_request_with_two_ends_is_refused_and_the_connection_with_it(self):
        running = self.serve()
        smuggled = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for lengths in ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 2\r\nContent-Length: 2\r\n",
                        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
                        "Transfer-Encoding: gzip, chunked\r\n", "Content-Length : 2\r\n", "Content-Length\t: 2\r\n", "Content Length: 2\r\n",
                        "Content-Length: 2\r\nX: a\rb\r\n"):
            found = raw(self.port, self.HEAD + lengths + "\r\n{}" + smuggled).decode()
            self.assertRegex(found, r"^HTTP/1\.1 400 ", lengths)
            self.assertEqual(found.count("HTTP/1.1"), 1, found)
        self.end(running)

    def test_a_body_has_64_kib_at_most(self):
        running = self.serve()
        for body in (b"x" * 70000, iter([b"x" * 70000])):  # the latter is sent in chunks
            answer = ask(self.port, "POST", "/netscope.v1.FlowService/ListFlows", body, JSON)
            self.assertEqual((answer.code, answer.reason), (413, "BODY_TOO_LONG"))
        self.end(running)

    def test_chunks_make_a_body(self):
        running = self.serve()
        found = raw(self.port, self.HEAD + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
        self.assertTrue(found.startswith(b"HTTP/1.1 200 "), found)
        self.end(running)

    def test_paths_lead_nowhere_else(self):
        running = self.serve()
        for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/index.html/../x", "/./metrics",
                     "/%00", "/ws/", "/ws/../metrics"):
            found = raw(self.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertRegex(found[:13], rb"^HTTP/1\.1 4\d\d|^$", path)
            self.assertNotIn(b"root:", found)
        self.end(running)

    def test_who_dribbles_does_not_hold_up_others(self):
        running = self.serve()
        stop = threading.Event()

        def dribble(text):
            with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
                connection.sendall(text)
                try:
                    while not stop.wait(0.2):
                        connection.sendall(b" ")
                except OSError:
                    return

        begin = (self.HEAD + "Content-Length: 60000\r\n\r\n").encode()
        slow = [threading.Thread(target=dribble, args=(begin if number % 2 else b"GET / HT",)) for number in range(40)]
        for thread in slow:
            thread.start()
        for _ in range(20):
            self.assertEqual(call(self.port, "SensorService/GetStatus").code, 200)
        sensor.until(lambda: self.metric('netscope_connections{listener="web"}') <= 1, 40, lambda: "they are there still")
        stop.set()
        for thread in slow:
            thread.join()
        self.end(running)


class Streams(WebTest):
    def test_a_stream_is_messages_then_its_end(self):
        running = self.serve()
        self.await_analysed()
        with WebSocket(self.port, FLOWS, early=WebSocket.frame(BINARY)) as stream:  # no follow: what is kept, then OK
            opcodes = []
            while True:
                opcode, payload = stream.receive()
                opcodes.append(opcode)
                if opcode != BINARY:
                    break
            self.assertEqual((opcode, json.loads(payload)), (TEXT, {}))
            self.assertGreater(len(opcodes), 1)
            self.assertEqual(stream.receive(), (CLOSE, b"\x03\xe8"))
            stream.send(CLOSE, b"\x03\xe8")
            self.assertEqual(web_client.read_all(stream.connection), b"")
        self.end(running)

    def test_a_bad_request_ends_with_its_error(self):
        running = self.serve()
        with WebSocket(self.port, FLOWS) as stream:
            stream.send(BINARY, b"\xff\xff")
            opcode, payload = stream.receive()
            error = json.loads(payload)["error"]
            self.assertEqual((opcode, error["code"]), (TEXT, "invalid_argument"))
            self.assertEqual(error["details"][0]["type"], "google.rpc.ErrorInfo")
            self.assertEqual(stream.closing_code(), 1000)
        self.end(running)

    def test_a_ticket_opens_one_stream(self):
        running = self.serve("--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "secret")
        self.assertEqual(ask(self.port, "POST", "/ticket").code, 401)
        ticket = ask(self.port, "POST", "/ticket", headers=basic("ann", "secret")).json()["ticket"]
        offer = [f"Sec-WebSocket-Protocol: netscope, {ticket}"]
        with WebSocket(self.port, STATS, offer) as stream:
            self.assertIn("Sec-WebSocket-Protocol: netscope\r\n", stream.head + "\r\n")
            self.assertNotIn(ticket, stream.head)
            stream.send(BINARY)
            self.assertEqual(stream.receive()[0], BINARY)
        for again, reason in ((offer, b"unauthenticated"), ([], b"unauthenticated"),
                              (["Sec-WebSocket-Protocol: netscope, " + "0" * 32], b"unauthenticated")):
            with self.assertRaises(Refused) as refused:
                WebSocket(self.port, STATS, again)
            self.assertEqual(refused.exception.code, 401)
            self.assertIn(reason, refused.exception.body)
        self.end(running)

    def test_a_handshake_is_checked(self):
        running = self.serve()
        for path, key, code in ((STATS, "short", 400), (STATS, "A" * 24, 400), ("/ws/netscope.v1.StatsService/WatchStat", None, 404),
                                ("/ws/netscope.v1.StatsService/GetStats", None, 404)):
            with self.assertRaises(Refused) as refused:
                WebSocket(self.port, path, key=key)
            self.assertEqual(refused.exception.code, code, (path, key))
        plain = ask(self.port, "GET", STATS)
        self.assertEqual((plain.code, plain.headers["sec-websocket-version"]), (426, "13"))
        self.end(running)

    def test_fragments_and_pings_between_make_a_request(self):
        running = self.serve()
        with WebSocket(self.port, FLOWS) as stream:
            whole = WebSocket.frame(BINARY, b"", fin=False) + WebSocket.frame(PING, b"hi") + WebSocket.frame(0, b"")
            for byte in whole:
                stream.connection.sendall(bytes([byte]))
            self.assertEqual(stream.receive(), (PONG, b"hi"))
            self.assertEqual(stream.receive()[0], BINARY)
        self.end(running)

    def test_who_pings_and_does_not_read_costs_nothing_much(self):
        running = self.serve()
        with WebSocket(self.port, STATS, timeout=3) as stream:
            try:
                for _ in range(2000):
                    stream.connection.sendall(WebSocket.frame(PING, b"x" * 125) * 100)
            except OSError:
                pass  # closed, or held back
            self.assertEqual(call(self.port, "SensorService/GetStatus").code, 200)
        self.end(running)

    def test_streams_are_told_of_the_end(self):
        running = self.serve()
        with WebSocket(self.port, STATS) as stream, WebSocket(self.port, STATS) as waiting:
            stream.send(BINARY)
            self.assertEqual(stream.receive()[0], BINARY)
            running.process.send_signal(signal.SIGTERM)
            while (frame := stream.receive())[0] == BINARY:
                continue
            self.assertEqual(frame[0], TEXT)
            self.assertEqual((stream.closing_code(), waiting.closing_code()), (1000, 1001))
        self.end(running)

    def test_many_streams_and_slow_readers(self):
        running = self.serve()
        streams = [WebSocket(self.port, STATS) for _ in range(60)]
        for stream in streams:
            stream.send(BINARY)
        for stream in streams[::2]:
            self.assertEqual(stream.receive()[0], BINARY)
        started = time.monotonic()
        self.assertEqual(call(self.port, "SensorService/GetStatus").code, 200)
        self.assertLess(time.monotonic() - started, 20)
        for stream in streams:
            stream.connection.close()
        sensor.until(lambda: self.metric('netscope_connections{listener="web"}') == 0, 20, lambda: "they are there still")
        self.end(running)


class Page(WebTest):
    def test_each_coding_has_its_tag(self):
        """What a cache keeps in one coding is not taken for another; a 304 is as long as what it stands for."""
        running = self.serve()
        forms = {coding: ask(self.port, "GET", "/", headers={"Accept-Encoding": coding}) for coding in ("identity", "gzip", "br")}
        self.addCleanup(self.end, running)
        if "etag" not in forms["identity"].headers:
            self.skipTest("built without the page")
        tags = {form.headers["etag"]: form.headers.get("content-encoding") for form in forms.values()}
        self.assertEqual(len(tags), len(set(tags.values())))
        for coding, form in forms.items():
            for match in (form.headers["etag"], "*", '"x", ' + form.headers["etag"]):
                same = ask(self.port, "GET", "/", headers={"Accept-Encoding": coding, "If-None-Match": match})
                self.assertEqual((same.code, same.body, same.headers["etag"]), (304, b"", form.headers["etag"]))
                self.assertEqual(same.headers.get("content-length", str(len(form.body))), str(len(form.body)))
            other = ask(self.port, "GET", "/", headers={"Accept-Encoding": coding, "If-None-Match": '"x"'})
            self.assertEqual((other.code, len(other.body)), (200, len(form.body)))


class BasePath(WebTest):
    def test_a_prefix_may_be_kept_or_stripped(self):
        running = self.serve("--web-base-path", "/net/scope")
        for path, code in (("/", 200), ("/net/scope/", 200), ("/net/scope", 308), ("/net/scopes/", 404), ("/net/", 404),
                           ("/net/scope/livez", 200), ("/livez", 200)):
            self.assertEqual(ask(self.port, "GET", path).code, code, path)
        self.assertEqual(ask(self.port, "GET", "/net/scope").headers["location"], "/net/scope/")
        answer = ask(self.port, "POST", "/net/scope/netscope.v1.SensorService/GetStatus", "{}", JSON)
        self.assertEqual(answer.code, 200)
        with WebSocket(self.port, "/net/scope" + STATS) as stream:
            stream.send(BINARY)
            self.assertEqual(stream.receive()[0], BINARY)
        self.end(running)


if __name__ == "__main__":
    sensor.main()
