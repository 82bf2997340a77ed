#!/usr/bin/env python3
"""`cmake --install`, the manual pages, the completion, and the Debian package, installed for real by dpkg."""

import os
import shlex
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import sensor
import shipping

DEPLOY = sensor.ROOT / "deploy"
DOC = "usr/share/doc/netscope"
SAME = {"etc/netscope/netscope.yaml", "usr/bin/netscope", "usr/bin/netscopectl", "usr/lib/systemd/system/netscope.service",
        "usr/share/bash-completion/completions/netscope", "usr/share/bash-completion/completions/netscopectl",
        f"{DOC}/LICENSE.google-rpc", f"{DOC}/LICENSE.grpc", f"{DOC}/examples/netscope.yaml"}
INSTALLED = SAME | {f"{DOC}/LICENSE", f"{DOC}/CHANGELOG.md", "usr/share/man/man1/netscopectl.1", "usr/share/man/man8/netscope.8"}
PACKAGED = SAME | {f"{DOC}/copyright", f"{DOC}/changelog.gz", "usr/share/man/man1/netscopectl.1.gz",
                   "usr/share/man/man8/netscope.8.gz"}
NOBODY = 65534


def complete(program, *words):
    """What bash offers for the last word."""
    script = (f"source {shlex.quote(str(DEPLOY / 'completion' / program))}\n"
              f"COMP_WORDS=({program} {' '.join(map(shlex.quote, words))})\nCOMP_CWORD={len(words)}\ncompopt() {{ :; }}\n"
              f"_{program}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"")
    path = f"{Path(shipping.CTL).parent}:{os.environ['PATH']}"
    return shipping.command("bash", "-c", script, env=sensor.environment({"PATH": path})).split()


class Install(sensor.SensorTest):
    def test_everything_is_installed_and_nothing_else(self):
        shipping.install(self.folder)
        self.assertEqual(shipping.files_below(self.folder), INSTALLED)
        self.assertEqual(shipping.command(self.folder / "usr/bin/netscope", "--version", env=sensor.environment()).split()[0],
                         "netscope")

    def test_the_settings_of_the_service_are_valid(self):
        said = self.check(sensor.run("--config", DEPLOY / "service.yaml", "--check-config")).stdout
        self.assertIn(b"the settings are valid", said)


class Texts(sensor.SensorTest):
    """Those of netscope are compared by a unit test of config."""

    def test_the_texts_of_netscopectl_are_up_to_date(self):
        manual = shipping.command(sys.executable, sensor.ROOT / "scripts" / "lib" / "ctl_manual.py", shipping.CTL,
                                  env=sensor.environment())
        script = shipping.command(shipping.CTL, "completion", "bash", env=sensor.environment())
        self.assertEqual((DEPLOY / "man" / "netscopectl.1").read_text(), manual, "run scripts/generate-docs")
        self.assertEqual((DEPLOY / "completion" / "netscopectl").read_text(), script, "run scripts/generate-docs")

    @shipping.needs("man", "groff")
    def test_the_pages_render_without_a_warning(self):
        for page, words in (("netscope.8", ("--[no-]promiscuous", "capture.snaplen", "262144", "EXIT STATUS")),
                            ("netscopectl.1", ("config apply KEY=VALUE...", "--tls-server-name NAME", "--community-id ID"))):
            shown = subprocess.run(["man", "--warnings", "-l", DEPLOY / "man" / page], capture_output=True, text=True,
                                   check=True, env=os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "100", "MAN_KEEP_FORMATTING": ""})
            self.assertEqual(shown.stderr, "")
            for word in words:
                self.assertIn(word, shown.stdout)

    def test_completion_offers_flags_values_and_files(self):
        self.assertEqual(complete("netscope", "--promi"), ["--promiscuous"])
        self.assertEqual(complete("netscope", "--no-promi"), ["--no-promiscuous"])
        self.assertEqual(complete("netscope", "--report", "te"), ["text"])
        self.assertEqual(complete("netscope", "--report", "="), ["auto", "text", "json", "none"])
        self.assertEqual(complete("netscope", "--report", "=", "js"), ["json"])
        self.assertEqual(complete("netscope", "-r", str(DEPLOY / "netscope.y")), [str(DEPLOY / "netscope.yaml")])
        self.assertIn("lo", complete("netscope", "-i", ""))
        self.assertEqual(complete("netscope", "--snaplen", ""), [])
        self.assertEqual(complete("netscope", "tc"), [])
        self.assertEqual(complete("netscopectl", "inter"), ["interfaces"])


# In a mount namespace of its own, over the machine's root: what is installed is gone with it.
OVER_ROOT = """set -e
mount -t tmpfs tmpfs "$1"; mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$1/up",workdir="$1/work" "$1/root"
for folder in proc dev sys; do mount --rbind /$folder "$1/root/$folder"; done
mkdir -p "$1/root/ship"; mount --bind "$2" "$1/root/ship"
exec chroot "$1/root" sh -e -c "$3"
"""


class Package(sensor.SensorTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="netscope-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.out = Path(folder.name)
        cls.out.chmod(0o755)
        try:
            shipping.command("dpkg-shlibdeps", "--version")
        except FileNotFoundError:
            raise unittest.SkipTest("needs dpkg-shlibdeps (package dpkg-dev)") from None
        shipping.command("cpack", "-G", "DEB", "-B", cls.out, "--config", shipping.BUILD / "CPackConfig.cmake")
        cls.package = next(cls.out.glob("*.deb"))

    def test_what_it_holds_and_needs(self):
        shipping.command("dpkg-deb", "-x", self.package, self.folder)
        self.assertEqual(shipping.files_below(self.folder), PACKAGED)
        fields = shipping.command("dpkg-deb", "-f", self.package)
        for library in ("libpcap0.8", "libgrpc29", "libcap2", "libyaml-0-2", "libssl3"):
            self.assertRegex(fields, rf"(?m)^Depends:.*\b{library}\b")
        control = self.folder / "control"
        shipping.command("dpkg-deb", "-e", self.package, control)
        self.assertEqual(shipping.files_below(control), {"control", "conffiles", "md5sums", "postinst"})
        self.assertEqual((control / "conffiles").read_text(), "/etc/netscope/netscope.yaml\n")

    def over_root(self, script):
        place = self.folder / "over"
        place.mkdir()
        (self.out / "trace.pcap").write_bytes((sensor.CAPTURES / "browsing.pcap").read_bytes())
        return shipping.command("unshare", "-m", "-n", "sh", "-c", OVER_ROOT, "sh", place, self.out, script,
                                env=sensor.environment())

    @shipping.needs("unshare", "setcap", "setpriv", "dpkg")
    @unittest.skipIf(os.geteuid() != 0, "needs root to install a package")
    def test_installed_for_real_it_captures_without_root_where_that_is_wanted(self):
        as_nobody = f"setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups"
        said = self.over_root(f"""
            dpkg -i /ship/*.deb >/dev/null
            getcap /usr/bin/netscope
            echo as shipped
            touch /etc/netscope/users-may-capture
            dpkg -i /ship/*.deb >/dev/null
            getcap /usr/bin/netscope
            ip link set lo up
            {as_nobody} netscope -r /ship/trace.pcap --report json | head -c 1
            {as_nobody} timeout 10 netscope -i lo -c 2 --summary-json - & sensor=$!
            while kill -0 $sensor 2>/dev/null; do bash -c "echo > /dev/udp/127.0.0.1/9"; sleep 0.1; done
            wait $sensor
            echo mine >> /etc/netscope/netscope.yaml
            dpkg -r netscope >/dev/null
            tail -n 1 /etc/netscope/netscope.yaml; ls /usr/bin/netscope 2>&1 || true""")
        self.assertTrue(said.startswith("as shipped\n/usr/bin/netscope cap_net_raw=p\n{"), said)
        self.assertRegex(said, r'"received": ?"?2\b')
        self.assertIn("mine\nls: cannot access", said)


if __name__ == "__main__":
    sensor.main()
