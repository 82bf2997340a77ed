"""The container image as tests build it: by buildah, from a base that debootstrap makes, so that no registry is asked."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import sensor
import shipping

BASE = "docker.io/library/debian:bookworm-slim"
TOOLS = ("buildah", "podman", "runc", "debootstrap")
BUILD_SECONDS = 1500
KEPT = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "netscope-tools"
UNREAD = {"node_modules", "dist", "pictures", "__pycache__"}  # of web/


def make_base():
    """Debian's smallest system under the name that the Dockerfile begins with, unless it is there."""
    if subprocess.run(["podman", "image", "exists", BASE], check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory(prefix="netscope-test-base-") as folder:
        shipping.command("debootstrap", "--variant=minbase", "bookworm", f"{folder}/root", timeout=BUILD_SECONDS)
        shipping.command("tar", "-C", f"{folder}/root", "-cf", f"{folder}/root.tar", ".")
        shipping.command("podman", "import", f"{folder}/root.tar", BASE)


def make_page():
    """The folder of the built page: that of this tree, else one kept of the same sources, else built anew in a copy."""
    own = sensor.ROOT / "web/dist"
    if (own / "index.html").exists():
        return own
    sources = sorted(path for path in (sensor.ROOT / "web").rglob("*") if path.is_file() and not UNREAD & set(path.parts))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    kept = KEPT / f"page-{digest}"
    if kept.exists():
        return kept
    if shutil.which("npm") is None:
        raise unittest.SkipTest("needs npm, to build the page")
    with tempfile.TemporaryDirectory(prefix="netscope-test-page-") as folder:
        copy_sources(Path(folder))
        done = subprocess.run([f"{folder}/scripts/build-web"], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise unittest.SkipTest(f"the page cannot be built here: {done.stderr[-300:]}")
        KEPT.mkdir(parents=True, exist_ok=True)
        shutil.copytree(f"{folder}/web/dist", kept)
    return kept


def copy_sources(folder):
    """What .dockerignore lets through."""
    wanted = [line[1:] for line in (sensor.ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in wanted:
        source = sensor.ROOT / name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns(*UNREAD))
        else:
            shutil.copy2(source, folder / name)


def build(tag, *options):
    """The image under a tag; layers of earlier builds are taken unless the options say otherwise."""
    make_base()
    page = make_page()
    with tempfile.TemporaryDirectory(prefix="netscope-test-context-") as folder:
        copy_sources(Path(folder))
        shutil.copytree(page, f"{folder}/web/dist")
        shipping.command("buildah", "bud", "--isolation", "chroot", "--network", "host", "--pull-never", *(options or ("--layers",)),
                         "--file", sensor.ROOT / "Dockerfile", "--tag", tag, folder, timeout=BUILD_SECONDS)
