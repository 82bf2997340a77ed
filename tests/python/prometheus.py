"""A real Prometheus (Debian's) on a port of its own, its storage in a folder of the test, and what its queries answer."""

import http.client
import json
import shutil
import subprocess
import urllib.parse

import yaml

import feeding
import sensor

MISSING = None if shutil.which("prometheus") and shutil.which("promtool") else "needs prometheus and promtool (package prometheus)"
INTERVAL = "1s"  # of scrapes and rules


class Prometheus:
    """Scrapes the jobs from when it is made to stop(); `jobs` are scrape_configs, `rules` paths of rule files."""

    def __init__(self, folder, jobs, rules=()):
        self.port = feeding.free_port()
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump({
            "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL, "scrape_timeout": INTERVAL},
            "rule_files": list(map(str, rules)), "scrape_configs": jobs}), encoding="utf-8")
        self._log = open(folder / "prometheus.log", "w+b")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd=folder)
        try:
            sensor.until(self._ready, 60, self.said)
        except AssertionError:
            self.stop()
            raise

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"prometheus ended with {self.process.returncode}: {self.said()}")
        try:
            return self._get("/-/ready")[0] == 200
        except OSError:
            return False

    def said(self):
        self._log.flush()
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self._log.close()

    def _get(self, path, **parameters):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path + ("?" + urllib.parse.urlencode(parameters) if parameters else ""))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def ask(self, path, **parameters):
        """The data of an answer of /api/v1; fails with what is wrong."""
        code, body = self._get(f"/api/v1/{path}", **parameters)
        answer = json.loads(body)
        if code != 200 or answer["status"] != "success":
            raise AssertionError(f"{path} {parameters}: {code} {answer.get('error')}")
        return answer["data"]

    def query(self, expression):
        """{labels: value} of an instant query, labels as a frozenset of pairs; a scalar has none."""
        found = self.ask("query", query=expression)
        if found["resultType"] == "scalar":
            return {frozenset(): float(found["result"][1])}
        return {frozenset(row["metric"].items()): float(row["value"][1]) for row in found["result"]}

    def value(self, expression):
        """The one value of an instant query, or None."""
        found = list(self.query(expression).values())
        assert len(found) <= 1, f"{expression}: {found}"
        return found[0] if found else None

    def targets(self):
        return {target["labels"]["job"]: target for target in self.ask("targets")["activeTargets"]}

    def await_scraped(self, *jobs):
        """Until a scrape of every job that began after this call is stored."""
        began = self.value("time()")

        def scraped():
            return all(self.value(f'timestamp(up{{job="{job}"}} == 1) > {began}') is not None for job in jobs)

        sensor.until(scraped, 60, lambda: f"{[(job, target['lastError']) for job, target in self.targets().items()]} {self.said()}")


def scrape(name, port, **more):
    """A scrape_config of one sensor on loopback."""
    return {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} | more


class PrometheusTest:
    """A mixin for sensor.SensorTest: skips where there is no Prometheus."""

    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)
        super().setUp()

    def start_prometheus(self, *jobs, rules=()):
        prometheus = Prometheus(self.folder, list(jobs), rules)
        self.addCleanup(prometheus.stop)
        return prometheus
