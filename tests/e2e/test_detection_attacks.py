"""Attacks raise the right alert, that one only, and the same bytes for any number of workers."""

import sensor
from detection import expected, floods, judged, plain, scans

PLAINLY_AT_MOST = 30_000  # packets: plain counting is slow


class AttacksTest(judged.JudgeTest):
    def test_attacks_are_told_as_what_they_are(self):
        for scene in scans.SCENES + floods.SCENES:
            with self.subTest(scene.name):
                path = self.folder / "scene.pcap"
                scene.make().write(path)
                lines = self.alert_lines(path, "--workers", 1)
                self.assertEqual(expected.complaints(scene, expected.begun(lines)), [])
                for workers in (2, 3, 8):
                    self.assertEqual(self.alert_lines(path, "--workers", workers), lines, f"{workers} workers")

    def test_plain_counting_says_the_same_of_the_scenes(self):
        """The scenes hold what they say: on the same side of the documented thresholds, each by its kind."""
        for scene in scans.SCENES + floods.SCENES:
            traffic = scene.make()
            if len(traffic) > PLAINLY_AT_MOST:
                continue
            with self.subTest(scene.name):
                kinds = {key[0].removesuffix("_60").removesuffix("_300").removesuffix("_slow")
                         for key in plain.count(self.packets(traffic)).raised()}
                must = {attack.kind for attack in scene.attacks}
                self.assertEqual(kinds, must)

    @staticmethod
    def packets(traffic):
        for seconds, frame in traffic.packets():
            packet = plain.packet_of(seconds, frame[14:])
            if packet is not None:
                yield packet


if __name__ == "__main__":
    sensor.main()
