"""grpcurl and grpc-health-probe, as people use them, where Go can build them: else skipped."""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

import certificates
import sensor
from serving import ServerTest

BUILD_S = 100  # each: a machine without network is not waited for
TOOLS = {"grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.1",
         "grpc-health-probe": "github.com/grpc-ecosystem/grpc-health-probe@v0.4.25"}


def find(name):
    """The program, built if need be; raises SkipTest with the reason."""
    found = shutil.which(name)
    if found:
        return found
    folder = Path(sensor.BINARY).parent / "go-tools"
    if (folder / name).exists():
        return str(folder / name)
    if shutil.which("go") is None:
        raise unittest.SkipTest(f"{name} is not there, nor Go to build it")
    try:
        built = subprocess.run(["go", "install", TOOLS[name]], env=os.environ | {"GOBIN": str(folder)}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BUILD_S, check=False)
    except subprocess.TimeoutExpired as late:
        raise unittest.SkipTest(f"Go did not build {name} within {BUILD_S} s") from late
    if built.returncode != 0 or not (folder / name).exists():
        raise unittest.SkipTest(f"Go cannot build {name} here: {built.stdout.strip().splitlines()[-1:]}")
    return str(folder / name)


class GrpcurlTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.grpcurl, self.probe = find("grpcurl"), find("grpc-health-probe")
        authority = certificates.Authority(self.folder, "ca")
        self.ca = authority.certificate
        certificate, key = authority.sign("sensor", "DNS:sensor.example")
        self.token = "token-of-the-test"
        tokens = self.write_tokens(("somebody", "viewer", self.token))
        self.running = self.serve("--grpc-tls", "--grpc-tls-cert", certificate, "--grpc-tls-key", key,
                                  "--grpc-tokens-file", tokens)

    def ask(self, *words, token=True):
        header = ["-H", f"authorization: Bearer {self.token}"] if token else []
        return subprocess.run([self.grpcurl, "-cacert", str(self.ca), "-servername", "sensor.example", *header,
                               *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              check=False)

    def test_it_lists_calls_and_shows_details(self):
        target = f"127.0.0.1:{self.port}"
        listed = self.ask(target, "list", "netscope.v1.FlowService")
        self.assertIn("netscope.v1.FlowService.WatchFlows", listed.stdout)
        top = self.ask("-d", '{"limit": 1}', target, "netscope.v1.FlowService/TopFlows")
        self.assertEqual(top.returncode, 0, top.stdout)
        self.assertIn('"protocol": "tcp"', top.stdout)
        bad = self.ask("-d", '{"allow": [{"protocols": ["tpc"]}]}', target, "netscope.v1.FlowService/ListFlows")
        self.assertIn("allow[0].protocols[0]", bad.stdout)
        self.assertIn("google.rpc.BadRequest", bad.stdout)
        nobody = self.ask(target, "netscope.v1.SensorService/GetStatus", token=False)
        self.assertIn("Unauthenticated", nobody.stdout)
        self.end(self.running)

    def test_the_probe_says_serving(self):
        probe = subprocess.run([self.probe, f"-addr=127.0.0.1:{self.port}", "-tls", f"-tls-ca-cert={self.ca}",
                                "-tls-server-name=sensor.example"], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        self.assertEqual(probe.returncode, 0, probe.stdout)
        self.assertIn("SERVING", probe.stdout)
        self.end(self.running)


if __name__ == "__main__":
    sensor.main()
