"""The API by gRPC, asked by a client that is none of ours: every method, refusals, streams that resume, the end."""

import os
import signal
import subprocess
import sys
import threading
import unittest

import capture_file
import feeding
import grpc_client
import sensor
from serving import CAPTURE, ServerTest, code_of

grpc = grpc_client.grpc
EXAMPLE = sensor.ROOT / "docs" / "examples" / "watch_alerts.py"
YEAR_2023 = 1_700_000_000


class Calls(ServerTest):
    def test_every_method_answers_or_says_why_not(self):
        running = self.serve("--grpc-role", "operator")
        self.await_packets(len(capture_file.read_frames(CAPTURE)))  # the run has begun
        client = self.client()
        must = {"GetFlow": "INVALID_ARGUMENT", "GetAlert": "INVALID_ARGUMENT", "FilterHints": "INVALID_ARGUMENT",
                "StartCapture": "INVALID_ARGUMENT", "StopCapture": "INVALID_ARGUMENT", "GetPacket": "INVALID_ARGUMENT"}
        for path, _, _, streams in grpc_client.methods():
            name = path.rsplit("/", 1)[1]
            with self.subTest(name):
                try:
                    if streams:
                        stream = client.watch(name)
                        self.assertTrue(next(stream).instance_id)
                        stream.cancel()
                    else:
                        self.assertTrue(client.call(name).instance_id)
                    code = "OK"
                except grpc.RpcError as error:
                    code = error.code().name
                    status, _ = grpc_client.details(error)
                    self.assertEqual((status.code, status.message), (error.code().value[0], error.details()))
                self.assertEqual(code, must.get(name, "OK"))
        self.end(running)

    def test_flows_are_those_of_the_export(self):
        export = self.folder / "flows.json"
        self.check(sensor.run("-r", CAPTURE, "--export-json", export, "--report", "none"))
        running = self.serve()
        self.await_packets(len(capture_file.read_frames(CAPTURE)))
        client, token, found = self.client(), "", {}
        while True:
            page = client.call("ListFlows", page_size=7, page_token=token)
            found |= {flow.id: flow for flow in page.flows}
            token = page.next_page_token
            if not token:
                break
        alive = {flow["id"]: flow for flow in sensor.load_json(export) if flow["reason"] == "end"}
        self.assertTrue(alive)
        self.assertEqual(set(found), set(alive))
        for number, flow in alive.items():
            self.assertEqual((found[number].bytes_total, found[number].packets_total),
                             (flow["bytes_total"], flow["packets_total"]))
        self.end(running)

    def test_flows_that_ended_stay_to_be_asked_for(self):
        export = self.folder / "flows.json"
        self.check(sensor.run("-r", CAPTURE, "--export-json", export, "--report", "none"))
        running = self.serve()
        self.await_packets(len(capture_file.read_frames(CAPTURE)))
        ended = {flow["id"] for flow in sensor.load_json(export) if flow["reason"] != "end"}
        events = [event for message in self.client().watch("WatchFlows") for event in message.events]
        self.assertTrue(ended)
        self.assertEqual({event.flow.id for event in events}, ended)
        self.end(running)

    def test_bad_requests_name_the_field(self):
        self.serve()
        client = self.client()
        flows = grpc_client.netscope("filter")
        error = code_of(lambda: client.call("ListFlows", allow=[flows.FlowFilter(
            client=flows.EndpointFilter(networks=["10.0.0.0/8", "ten"]))]))
        status, details = grpc_client.details(error)
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual([violation.field for violation in details["BadRequest"].field_violations],
                         ["allow[0].client.networks[1]"])
        self.assertEqual(details["ErrorInfo"].domain, "netscope")
        self.assertEqual(status.code, 3)

    def test_what_is_no_request_is_refused(self):
        running = self.serve()
        client = self.client()
        list_flows = "/netscope.v1.FlowService/ListFlows"
        for content, code in ((b"\xff\xff\xff", "INVALID_ARGUMENT"), (b"\x0a\x05ab", "INVALID_ARGUMENT"),
                              (b"\xf8\x07\x01", "INVALID_ARGUMENT"), (b"\x0a\x00" * 40000, "RESOURCE_EXHAUSTED")):
            self.assertEqual(code_of(lambda content=content: client.raw(list_flows, content)).code().name, code)
        self.assertEqual(code_of(lambda: client.raw("/netscope.v1.FlowService/Nothing", b"")).code().name,
                         "UNIMPLEMENTED")
        self.assertEqual(code_of(lambda: client.raw("/" + "x" * 3000, b"")).code().name, "UNIMPLEMENTED")
        huge = code_of(lambda: client.raw(list_flows, bytes(100_000_000)))
        self.assertIn(huge.code().name, ("RESOURCE_EXHAUSTED", "UNAVAILABLE"))
        self.assertTrue(self.client().call("GetStatus").instance_id)
        self.end(running)

    def test_a_deadline_ends_a_stream(self):
        self.serve()
        error = code_of(lambda: list(self.client().watch(
            "WatchAlerts", timeout=0.5, options={"follow": True})))
        self.assertEqual(error.code().name, "DEADLINE_EXCEEDED")

    def test_the_socket_serves_as_well(self):
        running = self.serve("--grpc-socket-role", "operator")
        client = self.client(f"unix:{self.socket}")
        status = client.call("GetStatus")
        self.assertEqual(status.caller.role, grpc_client.netscope("sensor").ROLE_OPERATOR)
        self.assertEqual(self.socket.stat().st_mode & 0o777, 0o660)
        self.end(running)
        self.assertFalse(self.socket.exists())

    def test_a_port_that_is_taken_is_told(self):
        self.serve()
        result = sensor.run("-r", CAPTURE, "--grpc", "--grpc-port", self.port)
        self.check(result, code=9, said=str(self.port))

    def test_whoever_waits_at_the_end_of_a_file_is_told_where_it_is_served(self):
        running = self.serve()
        sensor.until(lambda: "served until a signal" in running.stderr(), 20, running.stderr)
        self.assertIn(f"grpc at 127.0.0.1:{self.port} and {self.socket}\n", running.stderr())

    def test_a_file_ends_at_its_end_when_it_is_told_to(self):
        result = sensor.run("-r", CAPTURE, "--grpc", "--grpc-port", 0, "--exit-at-end", timeout=60)
        self.check(result)


class Health(ServerTest):
    def test_it_serves_and_its_services_are_known(self):
        running = self.serve("--grpc-tokens-file", self.tokens())
        client = self.client()  # without credentials
        health = grpc_client.MESSAGES.module("grpc.health.v1.health")
        for service in ("", "netscope.v1.FlowService"):
            request = health.HealthCheckRequest(service=service).SerializeToString()
            answer = health.HealthCheckResponse.FromString(client.raw("/grpc.health.v1.Health/Check", request))
            self.assertEqual(answer.status, health.HealthCheckResponse.SERVING)
        request = health.HealthCheckRequest(service="no.Such").SerializeToString()
        self.assertEqual(code_of(lambda: client.raw("/grpc.health.v1.Health/Check", request)).code().name, "NOT_FOUND")
        watch = client.channel.unary_stream("/grpc.health.v1.Health/Watch", bytes,
                                            health.HealthCheckResponse.FromString)
        told = watch(b"", timeout=30)
        self.assertEqual(next(told).status, health.HealthCheckResponse.SERVING)
        self.end(running)
        self.assertEqual(next(told).status, health.HealthCheckResponse.NOT_SERVING)
        self.assertEqual(code_of(lambda: next(told)).code().name, "UNAVAILABLE")

    def tokens(self):
        return self.write_tokens(("somebody", "viewer", "secret"))

    def test_reflection_tells_the_protos(self):
        self.serve()
        channel = self.client().channel
        from google.protobuf import descriptor_pb2
        for version in ("v1", "v1alpha"):
            messages = grpc_client.MESSAGES.module(f"grpc.reflection.{version}.reflection")
            ask = channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                                        messages.ServerReflectionRequest.SerializeToString,
                                        messages.ServerReflectionResponse.FromString)
            listed, file, none = ask(iter([
                messages.ServerReflectionRequest(list_services="*"),
                messages.ServerReflectionRequest(file_containing_symbol="netscope.v1.FlowService.ListFlows"),
                messages.ServerReflectionRequest(file_by_filename="no/such.proto")]), timeout=20)
            services = {service.name for service in listed.list_services_response.service}
            self.assertIn("netscope.v1.AlertService", services)
            files = {descriptor_pb2.FileDescriptorProto.FromString(content).name
                     for content in file.file_descriptor_response.file_descriptor_proto}
            self.assertLessEqual({"netscope/v1/flow_service.proto", "google/protobuf/timestamp.proto"}, files)
            self.assertEqual(none.error_response.error_code, 5)


class Streams(ServerTest):
    def collect(self, stream, into, seen, until):
        """Events of a stream until the condition holds."""
        for message in stream:
            into.append(message)
            seen.update(event.sequence for event in message.events)
            if until(message):
                return

    def test_a_stream_resumes_without_hole_or_double(self):
        feed, running = self.feed()
        client = self.client()
        options = {"follow": True, "heartbeat_interval": {"seconds": 1}}
        keeper = client.watch("WatchFlows", options=options)  # so that the log is kept
        next(keeper)
        threading.Thread(target=lambda: [None for _ in self.ignoring(keeper)], daemon=True).start()
        sequences, cursor, now = [], None, YEAR_2023
        for _ in range(5):
            stream = client.watch("WatchFlows", options=options | (
                {"start": {"resume_after": cursor}} if cursor else {}))
            cursor = next(stream).cursor
            feed.flows(len(sequences), 200, now)
            now += 20
            feed.flows(100_000, 1, now)
            got = 0
            for message in stream:
                self.assertEqual([gap.reason for gap in message.gaps], [])
                sequences += [event.sequence for event in message.events]
                got += len(message.events)
                cursor = message.cursor
                if got >= 100:  # in the middle of what comes
                    stream.cancel()
                    break
        stream = client.watch("WatchFlows", options={"start": {"resume_after": cursor}})
        sequences += [event.sequence for message in stream for event in message.events]
        self.assertEqual(sequences, list(range(sequences[0], sequences[0] + len(sequences))))
        feed.end()
        self.end(running)

    @staticmethod
    def ignoring(stream):
        try:
            yield from stream
        except grpc.RpcError:
            pass

    def test_another_start_is_told_as_a_gap(self):
        feed, running = self.feed()
        cursor = next(self.client().watch("WatchAlerts", options={"follow": True})).cursor
        feed.end()
        self.end(running)
        (self.folder / "feed").unlink()
        self.feed()
        stream = self.client().watch("WatchAlerts", options={"start": {"resume_after": cursor}})
        gaps = [gap for message in stream for gap in message.gaps]
        stream_module = grpc_client.netscope("stream")
        self.assertEqual([gap.reason for gap in gaps], [stream_module.GAP_REASON_RESTARTED])
        self.assertFalse(gaps[0].count_known)

    def test_alerts_reach_who_watches(self):
        feed, running = self.feed("--anomalies")
        stream = self.client().watch("WatchAlerts", options={"follow": True})
        next(stream)
        feed.send((YEAR_2023 + port / 1000, feeding.syn_frame("10.9.9.9", 40000, "192.0.2.7", port))
                  for port in range(1, 60))
        feed.flows(0, 1, YEAR_2023 + 10)
        alert = next(event.alert for message in stream for event in message.events)
        self.assertEqual((alert.kind, alert.sources[0].ip), ("port_scan", "10.9.9.9"))
        listed = self.client().call("ListAlerts").alerts
        self.assertEqual([found.id for found in listed], [alert.id])
        feed.end()
        self.end(running)

    def test_a_signal_ends_streams_with_unavailable(self):
        feed, running = self.feed()
        stream = self.client().watch("WatchFlows", options={"follow": True})
        next(stream)
        running.process.send_signal(signal.SIGTERM)
        error = code_of(lambda: list(stream))
        self.assertEqual(error.code().name, "UNAVAILABLE")
        self.assertEqual(grpc_client.details(error)[1]["ErrorInfo"].reason, "SENSOR_ENDS")
        feed.end()
        self.end(running)

    def test_the_end_of_the_input_ends_streams_well(self):
        feed, running = self.feed("--exit-at-end")
        stream = self.client().watch("WatchFlows", options={"follow": True})
        next(stream)
        feed.flows(0, 10, YEAR_2023)
        feed.end()
        messages = list(stream)
        self.assertEqual(sum(len(message.events) for message in messages), 10)
        self.assertEqual(messages[-1].end.reason, grpc_client.netscope("stream").STREAM_END_REASON_RUN_OVER)
        self.assertEqual(running.process.wait(30), sensor.DONE)

    def test_a_slow_reader_learns_what_it_missed(self):
        """One stream that nobody reads, with a small queue, beside one that is read: gaps and events add up."""
        feed, running = self.feed("--events-capacity", 2000)
        client = self.client()
        options = {"follow": True, "max_queue_bytes": 65536, "batch": {"max_events": 16}}
        slow = grpc_client.Client(f"127.0.0.1:{self.port}", options=[("grpc.http2.lookahead_bytes", 65536)])
        stalled = slow.watch("WatchFlows", options=options)
        reader = client.watch("WatchFlows", options={"follow": True})
        next(reader)
        now, count = YEAR_2023, 0
        for _ in range(20):
            feed.flows(count, 1000, now, step=0.0001)
            count, now = count + 1000, now + 10
        feed.flows(1_000_000, 1, now + 10)
        total = missing = 0
        for message in reader:
            total += len(message.events)
            missing += sum(gap.count if gap.count_known else gap.at_most for gap in message.gaps)
            if total + missing >= count:
                break
        feed.end()
        got = lost = 0
        for message in stalled:
            got += len(message.events)
            lost += sum(gap.count if gap.count_known else gap.at_most for gap in message.gaps)
            if got + lost >= count:
                break
        self.assertGreater(lost, 0)
        self.assertEqual(got + lost, count)
        slow.channel.close()
        self.end(running)


class Example(ServerTest):
    """docs/examples/watch_alerts.py as it stands: the loop that resumes a stream."""

    def test_each_alert_is_printed_once_over_restarts(self):
        feed = feeding.Feed(self.folder)
        running = self.serve("--anomalies", capture=feed.path)
        port = self.port
        cursor, output = self.folder / "cursor", self.folder / "output"
        environment = os.environ | {"PYTHONPATH": grpc_client.MESSAGES.folder()}

        def start():
            with open(output, "ab") as file:
                program = subprocess.Popen([sys.executable, EXAMPLE, f"127.0.0.1:{port}", cursor], stdout=file,
                                           stderr=file, env=environment)
            self.addCleanup(program.wait)
            self.addCleanup(program.kill)
            return program

        def told():
            return output.read_text(encoding="utf-8").splitlines()

        def scan(source, at):
            feed.send((at + door / 1000, feeding.syn_frame(source, 40000, "192.0.2.7", door)) for door in range(1, 60))
            feed.flows(0, 1, at + 10)

        program = start()
        scan("10.9.9.1", YEAR_2023)
        sensor.until(lambda: any("10.9.9.1" in line for line in told()), 30, told)
        program.kill()  # while it is away another one comes
        program.wait()
        scan("10.9.9.2", YEAR_2023 + 20)
        program = start()
        sensor.until(lambda: any("10.9.9.2" in line for line in told()), 30, told)
        feed.end()
        self.end(running)  # the sensor restarts at the same address
        feed.path.unlink()
        feed = feeding.Feed(self.folder)
        self.addCleanup(feed.end)
        running = sensor.Running("-r", feed.path, "--grpc", "--grpc-port", port, "--report", "none", "--anomalies")
        self.addCleanup(running.close)
        scan("10.9.9.3", YEAR_2023 + 40)
        sensor.until(lambda: any("10.9.9.3" in line for line in told()), 60, told)
        text = "\n".join(told())
        started = [line for line in told() if "port_scan: 10.9.9" in line and "(" not in line]
        self.assertEqual(len({line for line in started}), len(started), text)
        self.assertIn("GAP_REASON_RESTARTED", text)
        self.assertNotIn("GAP_REASON_AWAY", text)
        self.end(running)


if __name__ == "__main__":
    sensor.main()
