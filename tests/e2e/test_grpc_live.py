"""The API over a live capture: captures over the captured link, interfaces that start and stop, settings that change."""

import json
import signal
import subprocess
import sys
import threading
import unittest

import capture_file
import feeding
import grpc_client
import namespaces
import sensor

grpc = grpc_client.grpc
PORT = 9871
SENSOR, PEER = "10.77.0.1", "10.77.0.2"

# Runs in the peer's namespace: StreamPcap for some seconds; then prints how many bytes and packets came.
CAPTURE = """
import sys
sys.path.insert(0, {python!r})
import grpc_client, json
client = grpc_client.Client("{sensor}:{port}")
data, end, started = b"", None, False
for message in client.watch("StreamPcap", filter="ip", max_duration={{"seconds": 5}}, timeout=60):
    if not started:
        started = True
        print("started", flush=True)
    data += message.data
    if message.HasField("end"):
        end = message.end
open({path!r}, "wb").write(data)
print(json.dumps([len(data), end.packets, end.dropped]), flush=True)
"""


@unittest.skipIf(grpc_client.missing(), grpc_client.missing())
class LiveTest(namespaces.NamespaceTest, sensor.SensorTest):
    def setUp(self):
        super().setUp()
        self.net = self.make("api", "peer")
        self.net.join("api", "in0", "peer", "out0")
        self.net.ip("api", "addr", "add", f"{SENSOR}/24", "dev", "in0")
        self.net.ip("peer", "addr", "add", f"{PEER}/24", "dev", "out0")
        self.socket = self.folder / "netscope.sock"

    def serve(self, *arguments, interfaces=("in0",)):
        words = [word for interface in interfaces for word in ("-i", interface)]
        running = sensor.Running(*words, "--grpc", "--grpc-bind", SENSOR, "--grpc-insecure", "--grpc-role", "packets",
                                 "--grpc-socket", self.socket, "--grpc-socket-role", "operator", *arguments,
                                 prefix=self.net.inside("api"))
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        feeding.await_socket(self.socket, running)
        return running

    def client(self):
        client = grpc_client.Client(f"unix:{self.socket}")  # the namespaces share the files
        self.addCleanup(client.channel.close)
        return client

    def end(self, running):
        self.assertEqual(running.end(signal.SIGTERM), sensor.DONE, running.stderr())
        self.assertIsNone(sensor.finding(running.stderr()), running.stderr())

    def seed(self, count):
        """Datagrams from the peer to the sensor."""
        script = f"import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n" \
                 f"[s.sendto(b'seed', ('{SENSOR}', 5555)) for _ in range({count})]"
        namespaces.command(*self.net.inside("peer"), sys.executable, "-c", script)

    def test_a_capture_over_the_captured_link_does_not_feed_itself(self):
        """Five packets are seeded; what comes over the link that is captured is them, not itself."""
        running = self.serve()
        path = self.folder / "far.pcapng"
        script = CAPTURE.format(python=str(sensor.ROOT / "tests" / "python"), sensor=SENSOR, port=PORT, path=str(path))
        far = subprocess.Popen([*self.net.inside("peer"), sys.executable, "-c", script], stdout=subprocess.PIPE,
                               text=True)
        self.assertEqual(far.stdout.readline(), "started\n")
        self.seed(5)
        size, packets, dropped = json.loads(far.communicate(timeout=90)[0])
        self.assertLess(size, 100_000)
        self.assertEqual(dropped, 0)
        frames = capture_file.read_frames(path)
        self.assertEqual(len(frames), packets)
        seeds = [frame for frame in frames if frame.content[23] == 17 and frame.content.endswith(b"seed")]
        self.assertEqual(len(seeds), 5)
        port = PORT.to_bytes(2, "big")
        for frame in frames:
            self.assertNotIn(port, (frame.content[34:36], frame.content[36:38]), "of the capture itself")
        self.end(running)

    def test_interfaces_start_and_stop(self):
        running = self.serve()
        client = self.client()
        self.assertEqual([interface.name for interface in client.call("ListInterfaces").interfaces], ["in0"])
        self.seed(3)
        sensor.until(lambda: client.call("GetStats").counters.packets_received >= 3, 20, running.stderr)
        client.call("StopCapture", interface="in0")
        before = client.call("GetStats").counters.packets_received
        self.seed(10)
        client.call("StartCapture", interface="lo")
        client.call("StartCapture", interface="in0")
        self.seed(3)
        sensor.until(lambda: client.call("GetStats").counters.packets_received >= before + 3, 20, running.stderr)
        self.assertLess(client.call("GetStats").counters.packets_received, before + 10)
        with self.assertRaises(grpc.RpcError) as caught:
            client.call("StartCapture", interface="none0")
        self.assertEqual(caught.exception.code().name, "NOT_FOUND")
        self.end(running)

    def test_settings_change_while_packets_come(self):
        running = self.serve("--udp-timeout-s", "60")
        client = self.client()
        sensor_module = grpc_client.netscope("sensor")
        config = client.call("GetConfig", prefix="flow.udp_timeout_secs")
        change = [sensor_module.SettingChange(key="flow.udp_timeout_secs", values=["1"])]
        dry = client.call("ApplyConfig", settings=change, dry_run=True, etag=config.etag)
        self.assertEqual(dry.verdicts[0].outcome, sensor_module.SETTING_OUTCOME_APPLIED)
        stream = client.watch("WatchFlows", options={"follow": True})
        next(stream)
        self.seed(1)
        client.call("ApplyConfig", settings=change, etag=config.etag)
        self.assertEqual(client.call("GetConfig", prefix="flow.udp_timeout_secs").settings[0].source,
                         sensor_module.SETTING_SOURCE_API)
        flow = next(event.flow for message in stream for event in message.events if event.flow.protocol == "udp")
        self.assertEqual(flow.endpoint_a.ip, SENSOR)
        with self.assertRaises(grpc.RpcError) as caught:
            client.call("ApplyConfig", settings=change, etag=config.etag)
        self.assertEqual(caught.exception.code().name, "ABORTED")
        restart = [sensor_module.SettingChange(key="pipeline.workers", values=["2"])]
        with self.assertRaises(grpc.RpcError) as caught:
            client.call("ApplyConfig", settings=restart)
        self.assertEqual(caught.exception.code().name, "FAILED_PRECONDITION")
        self.end(running)

    def test_alerts_of_a_live_scan_reach_two_watchers(self):
        running = self.serve("--anomalies")
        streams = [self.client().watch("WatchAlerts", options={"follow": True}) for _ in range(2)]
        for stream in streams:
            next(stream)
        found = [None, None]

        def read(index):
            found[index] = next(event.alert for message in streams[index] for event in message.events)

        threads = [threading.Thread(target=read, args=(index,)) for index in range(2)]
        for thread in threads:
            thread.start()
        namespaces.command(*self.net.inside("peer"), "nmap", "-sS", "-Pn", "-n", "-p", "1-100", SENSOR)
        for thread in threads:
            thread.join(60)
        self.assertEqual([alert.kind for alert in found], ["port_scan"] * 2)
        self.assertEqual(found[0].id, found[1].id)
        self.assertEqual(found[0].sources[0].ip, PEER)
        self.end(running)


if __name__ == "__main__":
    sensor.main()
