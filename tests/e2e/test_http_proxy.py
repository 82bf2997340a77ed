"""The page's server behind a real nginx (Debian's) that ends TLS and buffers, under a sub-path that it keeps or strips, with the
Host passed on or forwarded."""

import shutil
import signal
import ssl
import subprocess
import unittest

import feeding
import sensor
from certificates import Authority
from web_client import BINARY, Refused, WebSocket, ask, basic, call
from web_test import CAPTURE, WebTest

STATS = "/ws/netscope.v1.StatsService/WatchStats"
BASE = "/net/scope"
CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
        proxy_http_version 1.1; proxy_buffering on;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
        {headers}
        location {base}/ {{ proxy_pass http://127.0.0.1:{upstream}{strip}; }}
    }}
}}
"""
PASSED_ON = "proxy_set_header Host $http_host;"
FORWARDED = """proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Forwarded '';"""


@unittest.skipIf(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, "needs nginx (package nginx)")
class BehindNginx(WebTest):
    def setUp(self):
        super().setUp()
        authority = Authority(self.folder, "authority")
        self.certificate, self.key = authority.sign("proxy", "IP:127.0.0.1")
        self.tls = ssl.create_default_context(cafile=authority.certificate)

    def proxy(self, headers, strips):
        self.front = feeding.free_port()
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder, port=self.front, upstream=self.port, certificate=self.certificate, key=self.key,
                                        headers=headers, base=BASE, strip="/" if strips else ""), encoding="ascii")
        self.folder.chmod(0o755)
        process = subprocess.Popen(["/usr/sbin/nginx", "-e", self.folder / "nginx.log", "-c", config], stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        sensor.until(lambda: self.get("/livez") == 200, 30, lambda: (self.folder / "nginx.log").read_text(errors="replace"))

    def get(self, path, headers=None):
        try:
            return ask(self.front, "GET", BASE + path, headers=headers, tls=self.tls).code
        except OSError:
            return None  # it begins

    def use(self):
        """What a page does: itself, a call, a ticket and a stream."""
        origin = {"Origin": f"https://127.0.0.1:{self.front}"}
        self.assertEqual((self.get("/"), self.get("/", basic("ann", "secret"))), (401, 200))
        self.assertEqual(ask(self.front, "GET", BASE, tls=self.tls).code, 301, "nginx' own: to the path with a slash")
        self.assertEqual(self.post("netscope.v1.SensorService/GetStatus", origin).code, 401)
        secret = origin | basic("ann", "secret")
        self.assertEqual(self.post("netscope.v1.SensorService/GetStatus", secret).json()["caller"]["identity"], "ann")
        self.assertEqual(self.post("netscope.v1.SensorService/GetStatus", secret | {"Origin": "https://evil.example"}).code, 403)
        ticket = self.post("ticket", secret).json()["ticket"]
        offer = [f"Sec-WebSocket-Protocol: netscope, {ticket}", f"Origin: https://127.0.0.1:{self.front}"]
        with WebSocket(self.front, BASE + STATS, offer, tls=self.tls) as stream:
            stream.send(BINARY)
            for _ in range(3):
                self.assertEqual(stream.receive()[0], BINARY)
        with self.assertRaises(Refused) as refused:
            WebSocket(self.front, BASE + STATS, ["Origin: https://evil.example"], tls=self.tls)
        self.assertEqual(refused.exception.code, 403)

    def post(self, method, headers):
        return ask(self.front, "POST", f"{BASE}/{method}", "{}", {"Content-Type": "application/json"} | headers, tls=self.tls)

    def serve_page(self, *arguments):
        return self.serve("--web-base-path", BASE, "--web-auth", "--web-auth-user", "ann", "--web-auth-pass", "secret", *arguments)

    def test_a_prefix_kept_or_stripped_with_the_host_passed_on(self):
        for strips in (False, True):
            running = self.serve_page("--web-allowed-host", "127.0.0.1")
            self.proxy(PASSED_ON, strips)
            self.use()
            self.end(running)

    def test_a_prefix_kept_or_stripped_with_the_host_forwarded(self):
        for strips in (False, True):
            running = self.serve_page("--web-trusted-proxy", "127.0.0.1")
            self.proxy(FORWARDED, strips)
            self.use()
            self.end(running)

    def test_large_answers_come_whole(self):
        running = self.serve("--web-base-path", BASE, "--web-trusted-proxy", "127.0.0.1")
        self.await_analysed(CAPTURE)
        self.proxy(FORWARDED, False)
        direct = call(self.port, "FlowService/ListFlows", {"pageSize": 1000}).json()["flows"]
        fronted = ask(self.front, "POST", f"{BASE}/netscope.v1.FlowService/ListFlows", '{"pageSize": 1000}', {"Content-Type": "application/json"},
                      tls=self.tls).json()["flows"]
        self.assertGreater(len(direct), 10)
        self.assertEqual({flow["id"] for flow in fronted}, {flow["id"] for flow in direct})
        self.end(running)


if __name__ == "__main__":
    sensor.main()
