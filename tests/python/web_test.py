"""A test with a sensor that serves the page, the API and the metrics by HTTP, on ports of its own."""

import signal

import capture_file
import feeding
import sensor
import web_client

CAPTURE = sensor.CAPTURES / "browsing.pcap"


class WebTest(sensor.SensorTest):
    def serve(self, *arguments, capture=CAPTURE, prefix=()):
        self.port, self.metrics_port = feeding.free_port(), feeding.free_port()
        running = sensor.Running("-r", capture, "--report", "none", "--web", "--web-port", self.port, "--metrics",
                                 "--metrics-port", self.metrics_port, *arguments, prefix=prefix)
        self.addCleanup(running.close)
        feeding.await_port(self.port, running)
        feeding.await_port(self.metrics_port, running)
        return running

    def await_analysed(self, capture=CAPTURE):
        self.await_packets(len(capture_file.read_frames(capture)))

    def await_packets(self, count):
        sensor.until(lambda: (self.metric("netscope_packets_analysed_total") or 0) >= count, 60, lambda: "too few packets")

    def metric(self, name):
        """The value of the one sample of this name, or None."""
        for line in web_client.ask(self.metrics_port, "GET", "/metrics").body.decode().splitlines():
            if line.rpartition(" ")[0] == name:
                return float(line.rpartition(" ")[2])
        return None

    def end(self, running, number=signal.SIGTERM, code=sensor.DONE):
        self.assertEqual(running.end(number), code, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())
