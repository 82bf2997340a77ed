"""Runs the sensor as a judge of captures: the alerts of a file at default thresholds."""

import sensor
from detection import expected


class JudgeTest(sensor.SensorTest):
    """A test that asks for the alerts of captures."""

    def alert_lines(self, path, *arguments, codes=(sensor.DONE,)):
        """The bytes that --alerts-jsonl gives."""
        result = sensor.run("-r", path, "--anomalies", "--report", "none", "--alerts-jsonl", "-", *arguments)
        stderr = result.stderr.decode(errors="replace")
        self.assertIsNone(sensor.finding(stderr), stderr)
        self.assertIn(result.returncode, codes, f"{path}: {stderr}")
        return result.stdout

    def briefs(self, path, codes=(sensor.DONE,)):
        return [expected.brief(alert) for alert in expected.begun(self.alert_lines(path, codes=codes))]
