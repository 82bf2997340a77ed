"""A real Prometheus (Debian's) reads the metrics: with and without TLS and callers, by every port that has them; and a million
addresses and names make no more series than ten."""

import json
import shutil
import struct
import subprocess
import unittest
import urllib.parse
import urllib.request

import feeding
import sensor
from certificates import Authority
from web_client import ask
from web_test import CAPTURE, WebTest

TOKENS = "prometheus viewer 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d\n"  # of "b"


class Prometheus:
    def __init__(self, folder, jobs):
        """`jobs` are scrape_configs; JSON is YAML."""
        self._port = feeding.free_port()
        config = folder / "prometheus.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}), encoding="ascii")
        self._log = open(folder / "prometheus.log", "wb")
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{self._port}"],
            stdout=self._log, stderr=self._log)

    def query(self, text):
        """{job: value}; nothing while it starts."""
        url = f"http://127.0.0.1:{self._port}/api/v1/query?{urllib.parse.urlencode({'query': text})}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                rows = json.load(answer)["data"]["result"]
        except OSError:
            return {}
        return {row["metric"].get("job", ""): float(row["value"][1]) for row in rows}

    def end(self):
        self._process.kill()
        self._process.wait()
        self._log.close()


class Scrapes(WebTest):
    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="ascii")
        path.chmod(0o600)
        return path

    @unittest.skipIf(shutil.which("prometheus") is None, "needs prometheus (package prometheus)")
    def test_its_queries_return_the_exported_numbers(self):
        ledger = self.summarise("-r", CAPTURE)["ledger"]
        authority = Authority(self.folder, "authority")
        certificate, key = authority.sign("server", "IP:127.0.0.1")
        password, tokens = self.secret("password", "open sesame\n"), self.secret("tokens", TOKENS)
        plain = self.serve("--web-tokens-file", tokens, "--web-tls", "--web-tls-cert", certificate, "--web-tls-key", key)
        self.await_analysed()
        ports = {"plain": self.metrics_port, "web": self.port}
        guarded = self.serve("--metrics-tls", "--metrics-tls-cert", certificate, "--metrics-tls-key", key, "--metrics-auth", "--metrics-auth-user",
                             "prometheus", "--metrics-auth-pass-file", password)
        ports["guarded"] = self.metrics_port
        by_tls = {"scheme": "https", "tls_config": {"ca_file": str(authority.certificate)}}
        kinds = {"plain": {}, "web": by_tls | {"authorization": {"credentials": "b"}},
                 "guarded": by_tls | {"basic_auth": {"username": "prometheus", "password": "open sesame"}},
                 "stranger": by_tls}
        ports["stranger"] = self.metrics_port
        prometheus = Prometheus(self.folder, [{"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{ports[name]}"]}]} | kinds[name]
                                              for name in kinds])
        self.addCleanup(prometheus.end)
        wanted = {name: float(ledger["analysed"]) for name in ("plain", "web", "guarded")}
        sensor.until(lambda: prometheus.query("netscope_packets_analysed_total") == wanted, 60, lambda: prometheus.query("up"))
        sensor.until(lambda: prometheus.query("up") == {"plain": 1, "web": 1, "guarded": 1, "stranger": 0}, 60, lambda: prometheus.query("up"))
        self.assertEqual(prometheus.query("sum by (job) (netscope_capture_packets_total)"), {name: ledger["received"] for name in wanted})
        self.assertGreater(prometheus.query("count by (job) ({__name__=~'netscope_.*'})")["plain"], 100)
        self.end(plain)
        self.end(guarded)


def name_answers(count):
    """Frames of DNS answers, each with a client, a name and an address of its own."""
    for number in range(count):
        name = b"\x08%08d\x07example\x00" % number
        dns = (struct.pack(">HHHHHH", number & 0xffff, 0x8180, 1, 1, 0, 0) + name + b"\x00\x01\x00\x01"
               b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04" + struct.pack(">I", 0x0b000000 + number))
        udp = struct.pack(">HHHH", 53, 5353, 8 + len(dns), 0) + dns
        head = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0xc0000235, 0x0a000000 + number)
        yield bytes(12) + b"\x08\x00" + head + udp


class Series(WebTest):
    def series(self, count):
        """The series of a run that saw so many addresses and names."""
        path = self.folder / f"{count}.pcap"
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for number, frame in enumerate(name_answers(count)):
                file.write(struct.pack("<IIII", 1_700_000_000 + number // 100_000, number % 100_000, len(frame), len(frame)) + frame)
        running = self.serve("--max-flows", 100_000, "--web-sample-rate", 0, capture=path)
        sensor.until(lambda: self.metric("netscope_packets_analysed_total") == count, 240, running.stderr)
        lines = ask(self.metrics_port, "GET", "/metrics").body.decode().splitlines()
        self.assertIn("netscope_flows_created_total %d" % count, lines)
        self.end(running)
        return {line.rpartition(" ")[0].replace(path.name, "F") for line in lines if not line.startswith("#")}

    def test_a_million_addresses_and_names_make_no_more_than_ten(self):
        few, many = self.series(10), self.series(1_000_000)
        self.assertEqual(few ^ many, set())
        self.assertLessEqual(len(many), 300)
        self.assertFalse([line for line in many if ".example" in line or "10.0." in line or "11.0." in line])


if __name__ == "__main__":
    sensor.main()
