"""Real captures: ordinary ones raise nothing, whole or split by direction; those that hold attacks raise what they hold.

The lists are detection/benign_captures.txt and labelled_captures.tsv; argued_captures.tsv names what may be argued over.
"""

import unittest
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryDirectory

import sensor
from detection import directions, expected, judged, lists

CODES = (sensor.DONE, sensor.TRUNCATED)
AT_ONCE = 2
BENIGN_AT_LEAST = 300


class CapturesTest(judged.JudgeTest):
    def setUp(self):
        super().setUp()
        if not lists.CAPTURES.is_dir():
            self.skipTest(f"no captures at {lists.CAPTURES}: set NETSCOPE_CAPTURES")

    def test_ordinary_captures_are_silent(self):
        names = lists.benign()
        self.assertGreaterEqual(len(names), BENIGN_AT_LEAST)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            told = dict(zip(names, pool.map(self.told, names)))
        self.assertEqual({name: alerts for name, alerts in told.items() if alerts}, {})

    def told(self, name):
        """The alerts of a capture and of its two directions."""
        path = lists.CAPTURES / name
        with TemporaryDirectory(dir=self.folder) as folder:
            paths = [path, *directions.split(path, folder)]
            return [f"{part.name}: {alert}" for part in paths for alert in self.briefs(part, CODES)]

    def test_labelled_captures_are_told_as_what_they_are(self):
        for scene in lists.labelled():
            with self.subTest(scene.name):
                path = lists.CAPTURES / scene.name
                lines = self.alert_lines(path, "--workers", 1, codes=CODES)
                self.assertEqual(expected.complaints(scene, expected.begun(lines)), [])
                for workers in (2, 3, 8):
                    self.assertEqual(self.alert_lines(path, "--workers", workers, codes=CODES), lines)


class ListsTest(unittest.TestCase):
    def test_no_capture_is_on_two_lists(self):
        benign, labelled = set(lists.benign()), {scene.name for scene in lists.labelled()}
        argued = {name for name, _ in lists.argued()}
        self.assertEqual(benign & labelled | benign & argued | labelled & argued, set())
        self.assertEqual(len(benign), len(lists.benign()))


if __name__ == "__main__":
    sensor.main()
