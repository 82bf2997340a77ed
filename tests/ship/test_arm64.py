#!/usr/bin/env python3
"""The cross build for arm64, and its unit tests under qemu-user.

Debian's packages for it are those of a foreign architecture, so they are best in a root of their own: scripts/arm64-root
makes one, and NETSCOPE_ARM64_ROOT names it. Without it the machine's own root is tried.
"""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

import sensor
import shipping

ROOT = Path(os.environ.get("NETSCOPE_ARM64_ROOT", "/"))
NEEDED = ("usr/bin/aarch64-linux-gnu-gcc", "usr/bin/qemu-aarch64-static", "usr/lib/aarch64-linux-gnu/libpcap.so",
          "usr/lib/aarch64-linux-gnu/libgrpc.so", "usr/lib/aarch64-linux-gnu/libcriterion.so")
SOURCE, BUILD = "/source", "/build"
BUILD_SECONDS, TEST_SECONDS = 1500, 1500
# Criterion starts its own program once more: the kernel has to know qemu for it. That is told to a user namespace only.
REGISTER = (":qemu-aarch64:M::" + r"\x7fELF\x02\x01\x01" + r"\x00" * 9 + r"\x02\x00\xb7\x00" + ":" +
            r"\xff" * 7 + r"\x00" + r"\xff" * 8 + r"\xfe" + r"\xff" * 3 + f":{ROOT}/usr/bin/qemu-aarch64-static:F")
IN_NAMESPACE = f"""set -e
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf %s '{REGISTER}' > /proc/sys/fs/binfmt_misc/register
mount --rbind /proc {ROOT}/proc
mount --rbind /dev {ROOT}/dev
exec chroot {ROOT} "$@" """

# What qemu-user lacks: packet and netlink sockets; limits of memory; memory that is only taken where it is touched. It keeps
# 24 bytes for each page that was ever reserved: tests that make flow tables by the hundred, or pipelines, would take 20 GB.
UNDER_QEMU = ("!(@(live_*|link_watch|interfaces)/*|arena/takes_memory_only_where_it_is_touched|thread/tells_address_space_from_processes|"
              "listing/@(of_a_table_at_rest_shows_all_in_order|is_right_while_*)|"
              "question/at_the_end_of_a_run_is_answered_or_refused)")


def setUpModule():
    missing = [path for path in NEEDED if not (ROOT / path).exists()]
    if missing or os.geteuid() != 0:
        raise unittest.SkipTest(f"needs {', '.join(missing)} below {ROOT} (scripts/arm64-root)" if missing else "needs root for chroot")
    shutil.rmtree(ROOT / SOURCE[1:], ignore_errors=True)
    (ROOT / SOURCE[1:]).mkdir()
    shipping.command("sh", "-c", 'git -C "$1" ls-files -z --cached --others --exclude-standard | '
                     'tar -C "$1" --null --ignore-failed-read -T - -c | tar -C "$2" -x', "sh", sensor.ROOT, f"{ROOT}{SOURCE}")
    inside("cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DNETSCOPE_TESTS=ON",
           f"-DCMAKE_TOOLCHAIN_FILE={SOURCE}/cmake/aarch64.cmake")
    inside("ninja", "-C", BUILD, "-j2", timeout=BUILD_SECONDS)


def inside(*words, **options):
    return shipping.command("chroot", ROOT, *words, **options)


def emulated(*words, **options):
    """A command of the root, in which arm64 programs run as others do."""
    return subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", IN_NAMESPACE, "sh", *map(str, words)],
                          capture_output=True, text=True, check=False, **options)


class Arm64(unittest.TestCase):
    def test_it_is_an_arm64_program_with_every_warning_an_error(self):
        for program in ("app/netscope", "ctl/netscopectl"):
            head = (ROOT / BUILD[1:] / "src" / program).read_bytes()[:20]
            self.assertEqual((head[:5], head[18:20]), (b"\x7fELF\x02", b"\xb7\x00"), program)

    def test_a_report_is_that_of_this_machine(self):
        capture = "tests/captures/browsing.pcap"
        words = ("--report", "json", "-r")
        there = emulated(f"{BUILD}/src/app/netscope", *words, f"{SOURCE}/{capture}", timeout=120)
        here = sensor.run(*words, sensor.ROOT / capture)
        self.assertEqual(there.returncode, 0, there.stderr)
        self.assertEqual(there.stdout.replace(SOURCE, str(sensor.ROOT)), here.stdout.decode())

    def test_unit_tests_pass_under_qemu(self):
        failed = {}
        for program in sorted((ROOT / BUILD[1:] / "tests").glob("test_*")):
            if not program.is_file():
                continue
            done = emulated(f"{BUILD}/tests/{program.name}", "--jobs", "2", "--verbose=0", "--filter", UNDER_QEMU, timeout=TEST_SECONDS)
            if done.returncode != 0:
                said = (done.stdout + done.stderr).splitlines()
                failed[program.name] = [line for line in said if not re.match(r"\[(RUN |PASS|SKIP|====)", line)] or said[-20:]
        self.assertEqual(failed, {})


if __name__ == "__main__":
    sensor.main()
