#!/usr/bin/env python3
"""The container image, built by buildah from a base that debootstrap makes, and run by podman: no registry is asked.

The base is made once and kept, as are the layers of the build: the first run takes some five minutes and needs apt's
network, the next ones seconds.
"""

import json
import os
import re
import shutil
import subprocess
import time
import unittest

import image
import replay
import sensor
import shipping

IMAGE, MOST_MB = "localhost/netscope-test", 45
USER, SOMEBODY = 65532, 4242  # of the image; of whoever runs it
PODMAN = ("podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc")
RUN = (*PODMAN, "run", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
OFFLINE = ("--cap-drop", "ALL", "--network", "none", "--read-only")
SERVICE_LINKS = {"NETSCOPE_WEB_PORT": "tcp://10.0.0.1:80", "NETSCOPE_SERVICE_HOST": "10.0.0.1",
                 "NETSCOPE_PORT": "tcp://10.0.0.1:9871", "NETSCOPE_GRPC_PORT": "tcp://10.0.0.1:9871",
                 "NETSCOPE_GRPC_PORT_9871_TCP": "tcp://10.0.0.1:9871"}
# Podman gives a user's process what --cap-add names, by the ambient set; Docker and Kubernetes do not: there the capability
# of the file counts. So the image is started as root, which becomes the user as theirs do.
AS_DOCKER = ("--user", "0", "--cap-add", "SETUID", "--cap-add", "SETGID", "--cap-add", "SYS_CHROOT", "--entrypoint", "chroot")
AS_USER = (f"--userspec={USER}:{USER}", "/", "netscope")


def setUpModule():
    missing = [tool for tool in image.TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        raise unittest.SkipTest(f"needs {', '.join(missing)}" if missing else "needs root to build an image")
    try:
        image.make_base()
    except AssertionError as error:
        raise unittest.SkipTest(f"no base image can be made: {str(error)[-300:]}") from None
    image.build(IMAGE)


def inspect(name):
    return json.loads(shipping.command("podman", "image", "inspect", name))[0]


class ImageTest(sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        shutil.copy(sensor.CAPTURES / "browsing.pcap", self.folder / "trace.pcap")
        self.mount = ("-v", f"{self.folder}:/data:ro")

    @staticmethod
    def run_image(options, *arguments, stdin=b""):
        return subprocess.run([*RUN, "--rm", *options, IMAGE, *map(str, arguments)], input=stdin,
                              capture_output=True, timeout=60, check=False)

    def denied(self, code, options, *arguments, cures):
        """It ends with the code and one line, in which the cures stand."""
        said = self.check(self.run_image(options, *arguments), code).stderr.decode()
        for cure in cures:
            self.assertIn(cure, said)
        self.assertEqual(len(said.splitlines()), 1, said)


class Shape(ImageTest):
    def test_it_is_small_and_names_its_layers(self):
        base = set(inspect(image.BASE)["RootFS"]["Layers"])
        layers = [(row["size"], re.sub(r"\s+", " ", row.get("CreatedBy", ""))) for row in
                  json.loads(shipping.command("podman", "history", "--format", "json", IMAGE)) if row["size"] > 0]
        self.assertEqual(len(layers), len(inspect(IMAGE)["RootFS"]["Layers"]))
        own = layers[:-len(base)]
        for size, made_by in own:
            print(f"FIGURE: {size / 1e6:.2f} MB: {made_by[:60]}")
        total = sum(size for size, _ in own) / 1e6
        print(f"FIGURE: {total:.1f} MB over the base")
        self.assertLessEqual(total, MOST_MB)

    def test_who_it_is_and_what_it_starts(self):
        settings = inspect(IMAGE)["Config"]
        self.assertEqual((settings["User"], settings["Entrypoint"]), (f"{USER}:{USER}", ["/usr/bin/netscope"]))
        for label in ("title", "description", "licenses", "version", "revision", "vendor"):
            self.assertIn(f"org.opencontainers.image.{label}", settings["Labels"])
        self.assertEqual(settings["Labels"]["org.opencontainers.image.base.name"], image.BASE)
        version = self.check(self.run_image(OFFLINE, "--version")).stdout.decode().split()[1]
        self.assertEqual(settings["Labels"]["org.opencontainers.image.version"], version)

    def test_no_tools_of_the_build_are_in_it(self):
        look = ("--entrypoint", "/bin/sh", *OFFLINE)
        tools = "gcc cc ld make cmake ninja setcap protoc"
        said = self.check(self.run_image(look, "-c", f"command -v {tools}; command -v netscopectl")).stdout
        self.assertEqual(said, b"/usr/bin/netscopectl\n")

    def test_no_program_makes_its_user_another(self):
        """Where privileges may be gained at all, there is one to gain: the sensor's."""
        look = ("--entrypoint", "/bin/sh", "--user", "0", *OFFLINE)
        said = self.check(self.run_image(look, "-c", "find / -xdev -type f -perm /6000; [ -u /usr/bin/su ] && echo su; true")).stdout
        self.assertEqual(said, b"")

    def test_the_page_is_in_it(self):
        look = ("--entrypoint", "/bin/bash", *OFFLINE)
        script = ("netscope -r /data/trace.pcap --report none --web --web-port 8080 & "
                  "for try in $(seq 100); do exec 3<>/dev/tcp/127.0.0.1/8080 && break; sleep 0.1; done 2>/dev/null; "
                  "printf 'GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3; cat <&3; kill %1; wait")
        said = self.check(self.run_image((*look, *self.mount), "-c", script)).stdout.decode()
        self.assertIn(" 200 ", said.splitlines()[0])
        self.assertRegex(said, r'<script[^>]* src="[^"]*app-[0-9a-f]{12}\.js"')

    def test_two_builds_hold_the_same(self):
        """File by file (but for those of the run) and version by version; the second one begins anew, by another name of the base."""
        again, base = f"{IMAGE}-again", f"{IMAGE}-base:other"
        shipping.command("podman", "tag", image.BASE, base)
        self.addCleanup(shipping.command, "podman", "untag", image.BASE, base)
        image.build(again, "--no-cache", "--build-arg", f"BASE={base}")
        self.addCleanup(shipping.command, "podman", "rmi", again)
        self.assertEqual(inspect(again)["Config"]["Labels"]["org.opencontainers.image.base.name"], base)
        listing = ("find / -xdev ! -type d ! -path /etc/hosts ! -path /etc/hostname ! -path /run/.containerenv "
                   "-printf '%p %m %U %s\\n'; find / -xdev -type d -printf '%p %m %U\\n'; dpkg-query -W; "
                   "sha256sum /usr/bin/netscope /usr/bin/netscopectl")
        found = [set(shipping.command(*RUN, "--rm", "--network", "none", "--user", "0", "--entrypoint", "/bin/sh", name, "-c",
                                      listing).splitlines()) for name in (IMAGE, again)]
        self.assertEqual(sorted(found[0] ^ found[1]), [])


class Offline(ImageTest):
    def test_a_file_is_read_with_no_right_at_all(self):
        said = self.check(self.run_image((*OFFLINE, *self.mount), "-r", "trace.pcap")).stdout.decode()
        self.assertIn("730 received = 730 analysed", said)

    def test_any_user_may_run_it(self):
        self.check(self.run_image((*OFFLINE, *self.mount, "--user", f"{SOMEBODY}:{SOMEBODY}"), "-r", "/data/trace.pcap"))

    def test_standard_input_and_output_need_no_mount(self):
        trace = (self.folder / "trace.pcap").read_bytes()
        done = self.check(self.run_image(("-i", *OFFLINE), "-r", "-", "--export-json", "-", "--report", "none", stdin=trace))
        self.assertGreater(len(json.loads(done.stdout)), 50)

    def test_links_of_kubernetes_services_change_nothing(self):
        links = [word for name, value in SERVICE_LINKS.items() for word in ("-e", f"{name}={value}")]
        done = self.check(self.run_image((*OFFLINE, *self.mount, *links), "-r", "trace.pcap"))
        self.assertEqual(done.stderr, b"")

    def test_a_capture_of_another_user_is_denied_with_cures_that_work(self):
        path = self.folder / "trace.pcap"
        path.chmod(0o600)
        os.chown(path, SOMEBODY, SOMEBODY)
        self.denied(sensor.UNREADABLE, (*OFFLINE, *self.mount), "-r", "trace.pcap", cures=('--user "$(id -u)"', "- <"))
        self.check(self.run_image((*OFFLINE, *self.mount, "--user", str(SOMEBODY)), "-r", "trace.pcap"))
        self.check(self.run_image(("-i", *OFFLINE), "-r", "-", stdin=path.read_bytes()))

    def test_a_capture_that_is_not_mounted_is_missed_with_the_cure(self):
        self.denied(sensor.UNREADABLE, OFFLINE, "-r", "trace.pcap", cures=('-v "$PWD:/data:ro"', "- <"))

    def test_a_folder_that_may_not_be_written_is_told_with_cures_that_work(self):
        out = self.folder / "out"
        out.mkdir()
        os.chown(out, SOMEBODY, SOMEBODY)
        mount = (*self.mount, "-v", f"{out}:/out")
        report = ("-r", "trace.pcap", "--report", "none", "--export-json", "/out/flows.json")
        cures = ('-v "$PWD:/data"', '--user "$(id -u)"', ": -)")
        self.denied(sensor.OUTPUT, (*OFFLINE, *mount), *report, cures=cures)
        self.denied(sensor.OUTPUT, (*OFFLINE, *self.mount), *report[:-1], "/data/flows.json", cures=cures)
        self.denied(sensor.OUTPUT, (*OFFLINE, *self.mount), *report, cures=cures)
        self.check(self.run_image((*OFFLINE, *mount, "--user", str(SOMEBODY)), *report))
        self.assertEqual((out / "flows.json").stat().st_uid, SOMEBODY)


class Live(replay.ReplayTest, ImageTest):
    """In the network of a namespace, as a daemon runs in that of its host."""

    def setUp(self):
        super().setUp()
        self.network = ("--network", f"ns:/run/netns/{self.net.inside('sensor')[-1]}")
        self.least = ("--cap-drop", "ALL", "--cap-add", "NET_RAW", "--read-only", *self.network)
        self.name, self.user = f"netscope-test-{os.getpid()}", str(USER)
        self.out = self.folder / "out"
        self.out.mkdir()
        self.out.chmod(0o777)

    def start(self, *options, before=(), settings=()):
        """The daemon: captures on in0, serves a socket, writes its summary at the end."""
        words = (*RUN, "--detach", "--name", self.name, *self.least, *options, "-v", f"{self.out}:/out",
                 "--tmpfs", "/run/netscope:mode=1777", IMAGE, *before, "-i", "in0", "--no-promiscuous", "--grpc", "--grpc-bind", "",
                 "--grpc-socket", "/run/netscope/netscope.sock", "--summary-json", "/out/summary.json", *settings)
        shipping.command(*words)
        self.addCleanup(subprocess.run, ["podman", "rm", "--force", "--time", "0", self.name], capture_output=True, check=False)

    def ask(self, *words):
        done = subprocess.run([*PODMAN, "exec", "--user", self.user, self.name, "netscopectl", *words],
                              capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def await_capture(self):
        sensor.until(lambda: "in0" in self.ask("interfaces"), 30, lambda: self.ask("interfaces"))
        time.sleep(0.5)  # libpcap throws packets away between binding its socket and setting the filter

    def end(self):
        """By SIGTERM; returns the summary."""
        begun = time.monotonic()
        shipping.command("podman", "stop", "--time", "20", self.name)
        self.assertLess(time.monotonic() - begun, 15, "it was killed")
        logs = subprocess.run(["podman", "logs", self.name], capture_output=True, text=True, check=True)
        code = shipping.command("podman", "inspect", "--format", "{{.State.ExitCode}}", self.name).strip()
        self.assertEqual(code, "0", logs.stderr)
        return sensor.load_json(self.out / "summary.json")

    def test_with_net_raw_only_it_sees_all_serves_and_ends(self):
        self.start()
        self.await_capture()
        self.replay()
        sensor.until(lambda: "192.0.2.1" in self.ask("flows"), 30, lambda: self.ask("flows"))
        self.assertIn("in0", self.ask("status", "-o", "json") + self.ask("interfaces"))
        summary = self.end()
        self.assertEqual((summary["ledger"]["received"], sensor.ledger_missing(summary)), (replay.PACKETS, 0))

    def test_sigterm_under_load_ends_it_whole(self):
        self.start(settings=("--export-json", "/out/flows.json"))
        self.await_capture()
        sender = subprocess.Popen([*self.net.inside("sender"), "tcpreplay", "--preload-pcap", "--loop=0", f"--pps={replay.RATE}",
                                   "--intf1=out0", self.source], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            sensor.until(lambda: "192.0.2.1" in self.ask("flows"), 30, lambda: self.ask("flows"))
            summary = self.end()
        finally:
            sender.kill()
            sender.wait()
        self.assertEqual(sensor.ledger_missing(summary), 0)
        self.assertEqual(len(sensor.load_json(self.out / "flows.json")), replay.CLIENTS)

    def test_without_the_capability_the_cure_is_told_and_works(self):
        cures = ("--cap-add NET_RAW;", "--user 0 --cap-drop ALL --cap-add NET_RAW")
        self.denied(sensor.NO_PERMISSION, ("--cap-drop", "ALL", *self.network), "-i", "in0", "-c", "1", cures=cures)
        narrow = (*self.least, *AS_DOCKER, "--security-opt", "no-new-privileges")
        self.denied(sensor.NO_PERMISSION, narrow, *AS_USER, "-i", "in0", "-c", "1", cures=cures)
        self.user = "0"
        self.start("--security-opt", "no-new-privileges", "--user", "0")
        self.judge_capture()

    def test_the_capability_of_the_file_is_enough(self):
        self.start(*AS_DOCKER, before=AS_USER)
        self.judge_capture()

    def judge_capture(self):
        self.await_capture()
        self.replay(loops=1)
        summary = self.end()
        self.assertEqual((summary["ledger"]["received"], sensor.ledger_missing(summary)), (replay.FRAMES, 0))


if __name__ == "__main__":
    sensor.main()
