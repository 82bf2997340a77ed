"""What tests of installation and package have in common: the build they install, a folder it goes to."""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

import sensor

BUILD = Path(sensor.BINARY).resolve().parents[2]
CTL = os.environ.get("NETSCOPECTL_BINARY", str(BUILD / "src" / "ctl" / "netscopectl"))


def command(*words, **options):
    """Runs to the end and returns what it printed; what it complained of is in the failure."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def needs(*programs):
    """A decorator: skips without these programs."""
    missing = [program for program in programs if shutil.which(program) is None]
    return unittest.skipIf(missing, f"needs {', '.join(missing)}")


def install(folder):
    """`cmake --install` into a folder, as it lies below /."""
    command("cmake", "--install", BUILD, "--prefix", "/usr", env=os.environ | {"DESTDIR": str(folder)})


def files_below(folder):
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if not path.is_dir()}
