"""The checked-in lists of captures: ordinary ones, those that hold attacks, those that may be argued over."""

import os
from pathlib import Path

import sensor
from detection.expected import Attack, Scene

FOLDER = sensor.ROOT / "tests" / "e2e" / "detection"
CAPTURES = Path(os.environ.get("NETSCOPE_CAPTURES", sensor.SHARED_CAPTURES))


def _rows(name):
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def benign():
    return [row[0] for row in _rows("benign_captures.txt")]


def argued():
    """(path, reason)"""
    return [tuple(row) for row in _rows("argued_captures.tsv")]


def figures():
    """What is known of each labelled capture, by its path: (verdict, figure)."""
    return {row[0]: (row[1], row[6]) for row in _rows("labelled_captures.tsv")}


def labelled():
    """Scenes of files: those below a threshold hold no attack."""
    return [Scene(row[0], None, (_attack(*row[2:6]),) if row[1] == "found" else ())
            for row in _rows("labelled_captures.tsv")]


def _attack(kind, source, target, port):
    return Attack(kind, None if source == "-" else source, None if target == "-" else target,
                  None if port == "-" else int(port))
