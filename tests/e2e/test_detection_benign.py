"""Ordinary traffic raises no alert: clusters and networks made up, whole and each direction by itself."""

import sensor
from detection import cluster, judged, network, scans
from detection.frames import Traffic


class BenignTest(judged.JudgeTest):
    def test_ordinary_traffic_is_silent(self):
        for make in cluster.BENIGN + network.BENIGN:
            with self.subTest(make.__name__):
                traffic = make()
                self.assertIsInstance(traffic, Traffic)
                self.assertEqual(self.told(make.__name__, traffic), {})

    def told(self, scene, traffic):
        """Alerts by which file raised them, without those that one direction cannot but raise."""
        whole, low, high = (self.folder / f"{name}.pcap" for name in ("whole", "low", "high"))
        traffic.write(whole)
        traffic.write_directions(low, high)
        told = {path.stem: self.briefs(path) for path in (whole, low, high)}
        for name, alerts in told.items():
            like = cluster.LOOKS_LIKE.get((scene, name))
            if like is not None:
                self.assertEqual([alert[: len(like)] for alert in alerts], [like], f"{scene}, {name}")
                told[name] = []
        return {name: alerts for name, alerts in told.items() if alerts}

    def test_the_scenes_hold_what_they_say(self):
        """Nothing is lost on the way: as many packets as were made, none that cannot be decoded."""
        for make in cluster.BENIGN + network.BENIGN + tuple(scene.make for scene in scans.SCENES[:6]):
            traffic = make()
            if len(traffic) > 60_000:
                continue
            path = self.folder / "scene.pcap"
            traffic.write(path)
            summary = self.summarise("-r", path)
            self.assertEqual(summary["packets"], len(traffic))
            self.assertEqual(summary["decode_errors"], [], make)


if __name__ == "__main__":
    sensor.main()
