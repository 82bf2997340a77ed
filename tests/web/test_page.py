"""The page in Debian's Chromium against the sensor with the page in it: the tests of this folder, by Node.js.

As root they run in a network namespace without a way out, and a live capture over a veth pair is part of them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import namespaces
import sensor

FOLDER = Path(__file__).resolve().parent
WEB = FOLDER.parent.parent / "web"
SUITES = ("page", "served", "live")


def node_major():
    try:
        told = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout
    except FileNotFoundError:
        return 0
    return int(told.lstrip("v").split(".")[0] or 0)


def has_page():
    """Whether today's page is in the sensor: its index.html names the other files by hashes of their content."""
    index = WEB / "dist" / "index.html"
    return index.exists() and index.read_bytes() in Path(sensor.BINARY).read_bytes()


def why_not():
    """Why the page cannot be tested here, or None."""
    if node_major() < 18:
        return "needs Node.js 18 or newer (nodejs)"
    if not Path(os.environ.get("CHROMIUM", "/usr/bin/chromium")).exists():
        return "needs Debian's Chromium (chromium)"
    if not (WEB / "node_modules" / "playwright-core").is_dir():
        return "needs the page's packages: scripts/build-web"
    for program in ("tcpdump", "openssl"):
        if shutil.which(program) is None:
            return f"needs {program}"
    return None if has_page() else "the sensor was built without the page of web/dist: scripts/build-web, then build again"


def run(words, prefix=(), **variables):
    done = subprocess.run([*prefix, *map(str, words)], env=os.environ | variables, check=False)
    return done.returncode


def run_in_browser(arguments):
    tests = arguments or [FOLDER / f"{suite}.test.mjs" for suite in SUITES]
    words = ["node", "--test", *tests]
    if namespaces.why_not() or namespaces.no_program("tcpreplay"):
        return run(words)
    made = namespaces.Namespaces("page", "sender")
    try:
        made.join("sender", "out0", "page", "in0")
        for name, interface in (("sender", "out0"), ("page", "in0")):
            made.ip(name, "link", "set", interface, "mtu", "9000")  # the capture has segments that a card had joined
        return run(words, made.inside("page"), NETSCOPE_SENDER=made.inside("sender")[-1])
    finally:
        made.remove()


def main(arguments):
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        return 77
    code = 0 if arguments else run(["node", "--test", FOLDER / "unit/"])
    return code or run_in_browser(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
