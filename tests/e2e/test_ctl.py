"""netscopectl against a real sensor: what it shows, what it says when it may not or cannot, streams that go on."""

import csv
import hashlib
import io
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import capture_file
import ctl
import feeding
import grpc_client
import namespaces
import sensor
import stand_in

CAPTURE = sensor.CAPTURES / "browsing.pcap"
BEGINNING = "1970-01-02T00:00:00Z"
YEAR_2023 = 1_700_000_000


class CtlTest(sensor.SensorTest):
    """A test with a sensor that serves on a port and a socket of its own."""

    def serve(self, *arguments, capture=CAPTURE, port=None):
        self.port, self.socket = port or feeding.free_port(), self.folder / "netscope.sock"
        running = sensor.Running("-r", capture, "--grpc", "--grpc-port", self.port, "--grpc-socket", self.socket,
                                 "--report", "none", *arguments)
        self.addCleanup(running.close)
        feeding.await_port(self.port, running)
        if capture == CAPTURE:
            sensor.until(lambda: "all is read" in running.stderr(), 60, running.stderr)
        return running

    def ask(self, *arguments, code=ctl.DONE, said=None, server=None, **options):
        """Its standard output; what it says on standard error has to match."""
        address = [] if server == "" else ["--server", server or f"127.0.0.1:{self.port}"]
        result = self.check(ctl.run(*arguments, *address, **options), code, said)
        return result.stdout.decode()

    def follow(self, *arguments, servers=None, **options):
        servers = servers or [f"127.0.0.1:{self.port}"]
        words = [word for server in servers for word in ("--server", server)]
        following = ctl.Following(*arguments, *words, **options)
        self.addCleanup(following.close)
        return following

    def end(self, following, number=signal.SIGINT, code=ctl.DONE):
        self.assertEqual(following.end(number), code, following.stderr())
        self.assertIsNone(sensor.finding(following.stderr()), following.stderr())


class Usage(CtlTest):
    def test_help_tells_every_command_and_option(self):
        overview = self.ask("--help", server="")
        for command in ("status", "flows", "top", "alerts", "capture", "config apply", "relay", "completion"):
            self.assertIn(f"\n  {command} ", overview)
            self.assertIn(f"netscopectl {command}", self.ask(*command.split(), "--help", server=""))
        self.assertNotIn("__complete", overview)
        self.assertRegex(self.ask("version", server=""), r"^netscopectl \d+\.\d+\.\d+\n$")

    def test_mistakes_are_told_with_what_was_meant(self):
        for words, said in (
                (["flow"], 'no command "flow".*flows'), (["config", "aply"], "config apply|config get"),
                (["flows", "--tcp-stat", "reset"], "did you mean --tcp-state"),
                (["flows", "--tcp-state", "open"], "takes one of unknown, syn_sent"),
                (["flows", "--port", "99999"], "takes a port"), (["flows", "--min-bytes", "x"], "a number"),
                (["flows", "--since", "1h"], "--follow"), (["flows", "-f", "--sort", "rate"], "--follow"),
                (["flows", "--not", "--sort", "bytes"], "--not comes before a filter"), (["start"], "needs IFACE"),
                (["flows", "-n"], "needs a value"), (["config", "apply", "x"], "KEY=VALUE"), (["alerts", "x"], "--help"),
                (["alerts", "--since", "yesterday"], "a span"), (["status", "--server", "a/b"], "no address")):
            with self.subTest(" ".join(words)):
                self.ask(*words, code=ctl.USAGE, said=said, server="")

    def test_who_cannot_be_reached_is_told_with_the_cure(self):
        port = feeding.free_port()
        self.ask("status", server=f"127.0.0.1:{port}", code=ctl.UNREACHABLE, said="Connection refused.*--grpc")
        self.ask("status", server=f"unix://{self.folder}/none", code=ctl.UNREACHABLE, said="No such file")
        self.ask("flows", "--follow", server=f"127.0.0.1:{port}", code=ctl.UNREACHABLE, said="Connection refused")
        self.ask("status", server="", settings={"NETSCOPE_SERVER": f"127.0.0.1:{port}"}, code=ctl.UNREACHABLE,
                 said=str(port))

    def test_a_file_says_what_neither_option_nor_environment_does(self):
        self.serve()
        path = self.folder / "netscope" / "netscopectl.conf"
        path.parent.mkdir()
        path.write_text(f"# mine\n server = 127.0.0.1:{self.port}\n", encoding="ascii")
        home = {"XDG_CONFIG_HOME": str(self.folder)}
        self.assertIn("730 received", self.ask("status", server="", settings=home))
        self.ask("status", server="127.0.0.1:1", settings=home, code=ctl.UNREACHABLE)
        self.ask("status", server="", settings=home | {"NETSCOPE_SERVER": "127.0.0.1:1"}, code=ctl.UNREACHABLE)
        path.write_text("servr = x\n", encoding="ascii")
        self.ask("status", server="", settings=home, code=ctl.USAGE, said=r"netscopectl\.conf:1: .servr")
        self.ask("status", "--config", self.folder / "none", server="", code=ctl.USAGE, said="cannot read")

    def test_a_token_goes_nowhere_in_plain(self):
        self.ask("status", server="192.0.2.1:9871", settings={"NETSCOPE_TOKEN": "secret"}, code=ctl.USAGE,
                 said="without TLS.*--insecure-token")
        self.ask("status", server="127.0.0.1:1", settings={"NETSCOPE_TOKEN": "two\nlines"}, code=ctl.USAGE,
                 said="no header can carry")


class Answers(CtlTest):
    def test_status_and_interfaces(self):
        self.serve("--node-name", "worker-1")
        text = self.ask("status")
        self.assertRegex(text, r"node +worker-1 at 127\.0\.0\.1")
        self.assertRegex(text, r"packets +730 received, 730 analysed")
        self.assertRegex(text, r"you +\S+, viewer")
        self.assertEqual(json.loads(self.ask("status", "-o", "json"))["ledger"]["received"], 730)
        self.assertRegex(self.ask("interfaces"), r"browsing\.pcap +up +730")
        self.assertRegex(self.ask("status", server=f"unix://{self.socket}"), r"you +uid 0, viewer")
        self.assertNotIn("\033", text)
        self.assertIn("\033", self.ask("status", "--color", "always"))

    def test_flows_sorted_and_filtered(self):
        self.serve("--flow-timeout-s", 0)
        flows = json.loads(self.ask("flows", "-n", "0", "-o", "json"))
        self.assertGreater(len(flows), 50)
        self.assertEqual([flow["bytes_total"] for flow in flows],
                         sorted((flow["bytes_total"] for flow in flows), reverse=True))
        reverse = [json.loads(line) for line in self.ask("flows", "-n0", "-ojsonl", "--sort=packets", "-r").splitlines()]
        self.assertEqual([flow["packets_total"] for flow in reverse], sorted(flow["packets_total"] for flow in flows))

        def ids(*filters):
            return {json.loads(line)["id"] for line in self.ask("flows", "-n0", "-ojsonl", *filters).splitlines()}

        def expected(fits):
            return {flow["id"] for flow in flows if fits(flow)}

        def ends(flow):
            return [(flow[end]["ip"], flow[end]["port"]) for end in ("endpoint_a", "endpoint_b")]

        client = ends(flows[0])[flows[0]["client"] == "b_to_a"][0]
        checks = {
            ("--protocol", "udp"): lambda flow: flow["protocol"] == "udp",
            ("--protocol", "udp", "--not", "--port", "53"):
                lambda flow: flow["protocol"] == "udp" and all(port != 53 for _, port in ends(flow)),
            # The address and the port may be of different ends.
            ("--ip", client, "--port", "443"):
                lambda flow: client in [ip for ip, _ in ends(flow)] and 443 in [port for _, port in ends(flow)],
            ("--from-ip", client, "--to-port", "50-60"):
                lambda flow: flow["client"] and ends(flow)[flow["client"] == "b_to_a"][0] == client
                and 50 <= ends(flow)[flow["client"] == "a_to_b"][1] <= 60,
            ("--name", "*.google.com"): None,
            ("--app", "tls", "--app", "dns"): lambda flow: flow["app"] in ("tls", "dns"),
            ("--tcp-state", "reset"): lambda flow: flow["tcp_state"] == "reset",
            ("--conn-state", "RSTO", "--conn-state", "S1"): lambda flow: flow["conn_state"] in ("RSTO", "S1"),
            ("--tls-version", "TLS 1.3"): lambda flow: flow["tls_version"] == "TLS 1.3",
            ("--sni-status", "complete"): lambda flow: flow["sni_status"] == "complete",
            ("--min-bytes", "10k", "--max-bytes", "20k"): lambda flow: 10_000 <= flow["bytes_total"] <= 20_000,
            ("--min-duration", "1500ms"): lambda flow: flow["duration_secs"] >= 1.5,
            ("--id", flows[3]["id"], "--id", flows[4]["id"]): lambda flow: flow["id"] in (flows[3]["id"], flows[4]["id"]),
        }
        for filters, fits in checks.items():
            with self.subTest(" ".join(filters)):
                found = ids(*filters)
                self.assertTrue(0 < len(found) < len(flows))
                if fits is not None:
                    self.assertEqual(found, expected(fits))

    def test_tables_show_client_server_and_name(self):
        self.serve("--flow-timeout-s", 0)
        table = self.ask("flows", "--app", "tls", said=None)
        self.assertRegex(table.splitlines()[0], r"^CLIENT -> SERVER +PROTOCOL +NAME +STATE +PACKETS +BYTES")
        self.assertRegex(table, r"10\.10\.0\.34:\d+ -> \S+:443 +tcp/tls +\S+\.\S+ +(closed|reset)")
        self.assertRegex(self.ask("flows", "-o", "wide"), r"RTT [\d.]+ ms.*1:[\w+/=]+ [0-9a-f]{32}")
        self.ask("flows", "-n", "2", said=r"^netscopectl: 2 of \d+ flows; -n 0 shows all")

    def test_rows_for_programs_are_those_of_the_exports(self):
        exports = {kind: self.folder / f"flows.{kind}" for kind in ("csv", "json")}
        feed = feeding.Feed(self.folder)
        self.addCleanup(feed.end)
        running = self.serve("--flow-timeout-s", 1, "--udp-timeout-s", 1, "--export-csv", exports["csv"], "--export-json",
                   exports["json"], capture=feed.path)
        following = {kind: self.follow("flows", "--follow", "--since", BEGINNING, "-o", kind) for kind in exports}
        time.sleep(0.5)
        feed.flows(0, 3000, YEAR_2023)
        feed.flows(0, 1, YEAR_2023 + 100)
        for one in following.values():
            one.await_lines(3001)  # a line before the rows
        for one in following.values():
            self.end(one)
        feed.end()
        rows = list(csv.reader(io.StringIO(following["csv"].stdout())))
        self.assertEqual(running.end(signal.SIGTERM), 0, running.stderr())
        with open(exports["csv"], encoding="utf-8", newline="") as file:
            exported = list(csv.reader(file))
        self.assertEqual(rows[0], exported[0])
        self.assertTrue({tuple(row) for row in rows} <= {tuple(row) for row in exported})
        told = json.loads(following["json"].stdout())
        self.assertEqual(len({flow["id"] for flow in told}), 3000)
        by_id = {flow["id"]: flow for flow in sensor.load_json(exports["json"])}
        self.assertTrue(all(flow == by_id[flow["id"]] for flow in told))

    def test_settings_are_changed_and_put_back(self):
        self.serve("--grpc-role", "operator")
        self.assertRegex(self.ask("config", "get", "flow."), r"flow\.timeout_secs +60 +default")
        self.ask("config", "apply", "flow.timeout_secs=7", "--dry-run", said="nothing was changed")
        self.assertRegex(self.ask("config", "get", "flow.timeout_secs"), r"60 +default")
        self.assertRegex(self.ask("config", "apply", "flow.timeout_secs=7", "flow.udp_timeout_secs=8"),
                         r"flow\.timeout_secs +applied\nflow\.udp_timeout_secs +applied")
        self.assertRegex(self.ask("config", "get", "flow.timeout_secs"), r"7 +api")
        self.ask("config", "apply", "flow.timeout_secs=9", "--etag", "old", code=ctl.REFUSED, said="read")
        self.ask("config", "reset", "flow.timeout_secs", "flow.udp_timeout_secs")
        self.assertRegex(self.ask("config", "get", "flow.timeout_secs"), r"60 +default")
        self.ask("config", "apply", "flow.timeout_secs=x", "flow.no_such=1", "flow.max_flows=-", code=ctl.REFUSED,
                 said=r"(?s)timeout_secs.*\n  settings\[1\].*\n  settings\[2\]")
        self.ask("config", "apply", "flow.no_such=1", code=ctl.REFUSED, said="flow.no_such")
        self.ask("config", "get", "nosuch.", code=ctl.REFUSED, said="no key begins with")

    def test_what_a_role_may_not_is_told(self):
        self.serve()
        self.ask("config", "apply", "flow.timeout_secs=5", code=ctl.REFUSED, said="role operator.*status")
        self.ask("start", "lo", code=ctl.REFUSED, said="role operator")
        self.ask("capture", "-w", self.folder / "x.pcapng", code=ctl.REFUSED, said="role packets")
        self.assertFalse((self.folder / "x.pcapng").exists(), "a refusal makes no file")

    def test_top_shows_a_table_once_in_a_pipe_and_draws_on_a_terminal(self):
        self.serve("--flow-timeout-s", 0)
        text = self.ask("top", "--limit", "5")
        self.assertEqual(len(text.splitlines()), 8)
        self.assertNotIn("\033", text)
        main, other = pty.openpty()
        self.addCleanup(os.close, main)
        process = subprocess.Popen([ctl.BINARY, "top", "-n", "2", "-d", "200ms", "-s", f"127.0.0.1:{self.port}"],
                                   stdout=other, stderr=subprocess.PIPE, env=sensor.environment({"TERM": "xterm"}))
        os.close(other)
        drawn = b""
        try:
            while part := os.read(main, 65536):
                drawn += part
        except OSError:  # the terminal is gone: it ended
            pass
        self.assertEqual(process.wait(20), 0, process.stderr.read())
        process.stderr.close()
        self.assertIn(b"\033[?1049h", drawn)
        self.assertIn(b"\033[?1049l", drawn)
        self.assertEqual(drawn.count(b"\033[H"), 2)


class Streams(CtlTest):
    def feed(self, *arguments):
        feed = feeding.Feed(self.folder)
        self.addCleanup(feed.end)
        running = self.serve("--flow-timeout-s", 1, "--udp-timeout-s", 1, *arguments, capture=feed.path)
        return feed, running

    def test_records_are_followed_and_a_signal_ends_in_order(self):
        feed, _ = self.feed()
        following = self.follow("flows", "-f", "-o", "jsonl")
        time.sleep(0.5)
        feed.flows(0, 500, YEAR_2023)
        feed.flows(1000, 1, YEAR_2023 + 100)
        following.await_lines(500)
        self.end(following, signal.SIGTERM)
        self.assertEqual(len({row["id"] for row in following.rows()}), 500)
        some = self.ask("flows", "-f", "--since", BEGINNING, "-n", "7", "-o", "csv")
        self.assertLessEqual(len(some.splitlines()), 8)

    def test_it_ends_when_nobody_reads_any_more(self):
        self.feed()
        process = self.follow_flows(self.port)
        time.sleep(0.5)
        self.leave_unread(process)

    def test_it_ends_unread_also_before_the_sensor_said_anything(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            process = self.follow_flows(mute.getsockname()[1])
            met, _ = mute.accept()
            with met:
                self.leave_unread(process)

    def follow_flows(self, port):
        return subprocess.Popen([ctl.BINARY, "flows", "-f", "-s", f"127.0.0.1:{port}"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=sensor.environment())

    def leave_unread(self, process):
        self.assertIsNone(process.poll())
        process.stdout.close()
        code, said = process.wait(10), process.stderr.read()
        process.stderr.close()
        self.assertIsNone(sensor.finding(said))
        self.assertEqual(code, 0, said)

    def test_a_sensor_that_starts_again_is_met_again(self):
        _, running = self.feed()
        following = self.follow("alerts", "-f")
        time.sleep(0.5)
        self.assertEqual(running.end(signal.SIGTERM), 0)
        following.await_said("lost the stream")
        self.serve(port=self.port)
        following.await_said("is back")
        self.end(following)

    def test_several_sensors_are_merged_and_the_missing_one_is_told(self):
        self.serve("--node-name", "one")
        first = f"127.0.0.1:{self.port}"
        self.serve("--node-name", "two", "--grpc-socket", "")
        second = f"127.0.0.1:{self.port}"
        table = self.ask("status", "-s", first)
        self.assertRegex(table, r"(?m)^one .*(\n.*)*^two |^two .*(\n.*)*^one ")
        flows = [json.loads(line) for line in self.ask("flows", "-n", "20", "-o", "jsonl", "-s", first).splitlines()]
        self.assertEqual({flow["node"] for flow in flows}, {"one", "two"})
        self.assertEqual(len(flows), 20)
        gone = f"127.0.0.1:{feeding.free_port()}"
        table = self.ask("status", "-s", gone, "-s", first, server=second, code=ctl.PARTLY, said=re.escape(gone))
        self.assertIn("unreachable", table)
        self.ask("capture", "-w", "-", "-s", first, code=ctl.USAGE, said="one sensor")


@unittest.skipIf(grpc_client.missing(), grpc_client.missing())
class BrokenStreams(CtlTest):
    """A stand-in breaks streams where a sensor would not."""

    def alert(self, number):
        types = grpc_client.netscope("alert_service")
        event = types.AlertEvent(sequence=number)
        event.alert.id, event.alert.kind, event.alert.description = f"{number:032x}", "port_scan", f"number {number}"
        event.alert.node = "stand-in"
        return event

    def stream(self, serve):
        served = stand_in.StandIn({"WatchAlerts": serve})
        self.addCleanup(served.stop)
        return served

    def test_a_stream_goes_on_behind_what_was_shown(self):
        types, stream = grpc_client.netscope("alert_service"), grpc_client.netscope("stream")

        def serve(request, context):
            after = int(request.options.start.resume_after or 0)
            yield types.WatchAlertsResponse(instance_id="i", cursor=str(after), start=stream.StreamStarted(max_events=2))
            for number in range(after + 1, after + 4):
                # What was shown already comes once more.
                yield types.WatchAlertsResponse(instance_id="i", cursor=str(number),
                                                events=[self.alert(number - 1), self.alert(number)][number == 1:])
            context.abort(stand_in.grpc.StatusCode.UNAVAILABLE, "the sensor goes down")

        served = self.stream(serve)
        following = self.follow("alerts", "-f", "-o", "jsonl", servers=[served.address])
        following.await_lines(9)
        self.end(following)
        self.assertEqual([int(row["id"], 16) for row in following.rows()][:9], list(range(1, 10)))
        starts = [request.options.start.resume_after for _, request in served.calls]
        self.assertEqual(starts[:3], ["", "3", "6"])
        self.assertIn("the sensor goes down", following.stderr())

    def test_gaps_are_told(self):
        types, stream = grpc_client.netscope("alert_service"), grpc_client.netscope("stream")

        def serve(_, context):
            yield types.WatchAlertsResponse(instance_id="i", cursor="1", start=stream.StreamStarted())
            yield types.WatchAlertsResponse(instance_id="i", cursor="5", events=[self.alert(5)], gaps=[
                stream.StreamGap(reason=stream.GAP_REASON_SLOW_READER, count=1234, count_known=True),
                stream.StreamGap(reason=stream.GAP_REASON_LAPPED, at_most=99),
                stream.StreamGap(reason=stream.GAP_REASON_RESTARTED)])

        following = self.follow("alerts", "-f", servers=[self.stream(serve).address])
        self.assertEqual(following.process.wait(20), ctl.DONE)
        said = following.stderr()
        self.assertRegex(said, "1,234 alerts are missing here: this reader was too slow")
        self.assertRegex(said, "at most 99 alerts are missing")
        self.assertRegex(said, "unknown number of alerts are missing here: the sensor was restarted")
        self.assertIn("number 5", following.stdout())

    def test_a_refusal_ends_it_at_once(self):
        def serve(_, context):
            context.abort(stand_in.grpc.StatusCode.UNAUTHENTICATED, "this takes a token")
            yield

        served = self.stream(serve)
        result = ctl.run("alerts", "-f", "-s", served.address)
        self.check(result, ctl.REFUSED, "this takes a token.*--token-file")
        self.assertEqual(len(served.calls), 1)

    def test_pauses_grow_until_a_stream_has_begun(self):
        def serve(_, context):
            context.abort(stand_in.grpc.StatusCode.RESOURCE_EXHAUSTED, "streams are full")
            yield

        served = self.stream(serve)
        other = self.stream(serve)
        following = self.follow("alerts", "-f", servers=[served.address, other.address])
        time.sleep(3)
        self.end(following)
        self.assertTrue(2 <= len(served.calls) <= 6, len(served.calls))

    def test_text_of_a_sensor_does_nothing_to_the_terminal(self):
        types, stream = grpc_client.netscope("alert_service"), grpc_client.netscope("stream")

        def serve(_, context):
            event = self.alert(1)
            event.alert.description = "\033]0;owned\007 a\\\\b"
            yield types.WatchAlertsResponse(instance_id="i", cursor="1", start=stream.StreamStarted())
            yield types.WatchAlertsResponse(instance_id="i", cursor="2", events=[event])
            context.abort(stand_in.grpc.StatusCode.NOT_FOUND, "\033[2J")

        result = ctl.run("alerts", "-f", "-s", self.stream(serve).address)
        self.check(result, ctl.REFUSED)
        self.assertNotIn(b"\033", result.stdout + result.stderr)
        self.assertIn(rb"\x1b]0;owned\x07 a\\b", result.stdout)


class Trust(CtlTest):
    """TLS, certificates, tokens: of a real sensor."""

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def certificates(self):
        folder = self.folder

        def make(name, *words):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
                         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", f"/CN={name}", *words)

        make("ca")
        make("other")
        for name, alternative in (("sensor", "DNS:sensor.example"), ("client", "DNS:laptop.example")):
            make(name, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-addext", f"subjectAltName={alternative}",
                 "-addext", "basicConstraints=critical,CA:FALSE")
        return folder

    def test_tls_and_tokens(self):
        folder = self.certificates()
        tokens = folder / "tokens"
        tokens.write_text(f"ci operator {hashlib.sha256(b'secret').hexdigest()}\n", encoding="ascii")
        tokens.chmod(0o600)
        (folder / "token").write_text("secret\n", encoding="ascii")
        (folder / "wrong").write_text("guess\n", encoding="ascii")
        self.serve("--grpc-tls", "--grpc-tls-cert", folder / "sensor.pem", "--grpc-tls-key", folder / "sensor.key",
                   "--grpc-tokens-file", tokens)
        trust = ["--tls-ca", folder / "ca.pem", "--tls-server-name", "sensor.example"]
        self.assertRegex(self.ask("status", *trust, "--token-file", folder / "token"), "you +.*ci.*operator")
        self.assertRegex(self.ask("status", *trust, settings={"NETSCOPE_TOKEN": "secret"}), "operator")
        self.ask("status", *trust, code=ctl.REFUSED, said="--token-file")
        self.ask("status", *trust, "--token-file", folder / "wrong", code=ctl.REFUSED, said="tokens_file")
        self.ask("status", *trust, "--token-file", folder / "none", code=ctl.USAGE, said="cannot read the token file")
        self.ask("status", "--tls-ca", folder / "other.pem", "--tls-server-name", "sensor.example",
                 code=ctl.UNREACHABLE, said="--tls-ca")
        self.ask("status", "--tls-ca", folder / "ca.pem", code=ctl.UNREACHABLE, said="--tls-server-name")
        self.ask("status", "--tls-ca", folder / "token", code=ctl.USAGE, said="PEM")
        self.ask("status", code=ctl.UNREACHABLE, said="give --tls")

    def test_a_token_with_limits_sees_less_and_is_told(self):
        tokens = self.folder / "tokens"
        tokens.write_text(f"shop viewer {hashlib.sha256(b'secret').hexdigest()} network=72.163.128.140/32\n",
                          encoding="ascii")
        tokens.chmod(0o600)
        self.serve("--flow-timeout-s", 0, "--grpc-tokens-file", tokens)
        token = {"NETSCOPE_TOKEN": "secret"}
        status = self.ask("status", settings=token)
        self.assertRegex(status, r"you +.*shop.*viewer, seeing only network=72\.163\.128\.140/32")
        self.assertNotIn("received", status)
        flows = self.ask("flows", settings=token, said="only what you may see: network=72")
        self.assertEqual(len(flows.splitlines()) - 1, flows.count("72.163.128.140"))
        self.assertNotIn("packets lost", self.ask("top", settings=token))
        self.ask("flows", "--ip", "8.8.8.8", settings=token, code=ctl.REFUSED, said="8.8.8.8")

    def test_a_certificate_of_our_own(self):
        folder = self.certificates()
        self.serve("--grpc-tls", "--grpc-tls-cert", folder / "sensor.pem", "--grpc-tls-key", folder / "sensor.key",
                   "--grpc-tls-client-ca", folder / "ca.pem", "--grpc-caller", "san=laptop.example operator")
        trust = {"NETSCOPE_TLS_CA": folder / "ca.pem", "NETSCOPE_TLS_SERVER_NAME": "sensor.example"}
        ours = ["--tls-cert", folder / "client.pem", "--tls-key", folder / "client.key"]
        self.assertRegex(self.ask("status", *ours, settings=trust), r"you +.*laptop\.example.*operator")
        self.ask("status", settings=trust, code=ctl.UNREACHABLE)
        self.ask("status", *ours[:2], settings=trust, code=ctl.USAGE, said="goes with its key")


class Live(namespaces.NamespaceTest, CtlTest):
    """What takes a sensor that captures."""

    def setUp(self):
        super().setUp()
        self.net = self.make("ctl", "peer")
        self.net.join("ctl", "in0", "peer", "out0")
        self.net.ip("ctl", "addr", "add", "10.78.0.1/24", "dev", "in0")
        self.net.ip("peer", "addr", "add", "10.78.0.2/24", "dev", "out0")
        self.socket = self.folder / "netscope.sock"
        running = sensor.Running("-i", "in0", "--grpc", "--grpc-socket", self.socket, "--grpc-socket-role", "operator",
                                 "--node-name", "worker-1", prefix=self.net.inside("ctl"))
        self.addCleanup(running.close)
        namespaces.await_capture(running)
        feeding.await_socket(self.socket, running)
        self.at = f"unix://{self.socket}"

    def seed(self, count):
        script = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n" \
                 f"[s.sendto(b'seed', ('10.78.0.1', 5555)) for _ in range({count})]"
        namespaces.command(*self.net.inside("peer"), sys.executable, "-c", script)

    def capture(self, *arguments):
        """One that runs, and has begun."""
        following = ctl.Following("capture", *arguments, "-s", self.at)
        self.addCleanup(following.close)
        return following

    def test_packets_come_as_they_are_captured(self):
        path = self.folder / "far.pcapng"
        following = self.capture("-f", "udp port 5555", "-c", "5", "-w", path)
        sensor.until(path.exists, 20, following.stderr)
        self.seed(8)
        self.assertEqual(following.process.wait(20), ctl.DONE, following.stderr())
        self.assertIn("5 packets, ", following.stderr())
        frames = capture_file.read_frames(path)
        self.assertEqual([frame.content.endswith(b"seed") for frame in frames], [True] * 5)

    def test_a_signal_ends_a_capture_whose_file_can_be_read(self):
        path = self.folder / "far.pcapng"
        following = self.capture("-w", path, "-i", "in0", "-f", "udp")
        sensor.until(path.exists, 20, following.stderr)
        self.seed(3)
        sensor.until(lambda: b"seed" in path.read_bytes(), 20, following.stderr)
        self.end(following, signal.SIGINT)
        self.assertLessEqual(1, len(capture_file.read_frames(path)))
        self.ask("capture", "-w", "-", "-f", "not a filter", server=self.at, code=ctl.REFUSED, said="filter")
        self.ask("capture", "-w", self.folder / "no" / "x", "-c", "1", "--duration", "5s", server=self.at,
                 code=ctl.OUTPUT, said="cannot write to")

    def test_captures_start_and_stop(self):
        self.assertIn("capturing on lo", self.ask("start", "lo", server=self.at))
        both = re.compile(r"(?m)^in0 +up(.*\n)+lo +up|^lo +up(.*\n)+in0 +up")
        # The list is of the last tick: an interface is in it with the next one.
        sensor.until(lambda: both.search(self.ask("interfaces", server=self.at)), 20,
                     lambda: self.ask("interfaces", server=self.at))
        self.assertIn("no longer capturing on lo", self.ask("stop", "lo", server=self.at))
        self.ask("start", "none0", server=self.at, code=ctl.REFUSED, said="none0")
        self.assertRegex(self.ask("status", server=self.at), r"state +running for .*, live capture")


class Cut(namespaces.NamespaceTest, CtlTest):
    def test_a_connection_that_is_cut_for_ten_seconds_loses_nothing(self):
        net = self.make("ctl", "peer")
        net.join("ctl", "in0", "peer", "out0")
        net.ip("ctl", "addr", "add", "10.79.0.1/24", "dev", "in0")
        net.ip("peer", "addr", "add", "10.79.0.2/24", "dev", "out0")
        feed = feeding.Feed(self.folder)
        self.addCleanup(feed.end)
        running = sensor.Running("-r", feed.path, "--grpc", "--grpc-bind", "10.79.0.1", "--grpc-port", "9871",
                                 "--grpc-insecure", "--grpc-socket", self.folder / "s", "--report", "none",
                                 "--udp-timeout-s", 1, prefix=net.inside("ctl"))
        self.addCleanup(running.close)
        feeding.await_socket(self.folder / "s", running)
        following = ctl.Following("flows", "-f", "-o", "jsonl", "-s", "10.79.0.1",
                                  prefix=[*net.inside("peer"), ctl.BINARY])
        self.addCleanup(following.close)
        time.sleep(1)
        for batch in range(13):
            if batch == 2:
                net.ip("peer", "link", "set", "out0", "down")
            if batch == 12:
                net.ip("peer", "link", "set", "out0", "up")
            feed.flows(batch * 100, 100, YEAR_2023 + batch * 10)
            time.sleep(1)
        feed.flows(9000, 1, YEAR_2023 + 1000)
        following.await_lines(1300, timeout=60)
        self.end(following)
        self.assertEqual(len({row["id"] for row in following.rows()}), 1300)
        self.assertNotIn("missing", following.stderr())

    def test_a_sensor_that_was_killed_tells_what_is_missing(self):
        feed = feeding.Feed(self.folder)
        running = self.serve("--udp-timeout-s", 1, capture=feed.path)
        following = self.follow("flows", "-f", "-o", "jsonl")
        time.sleep(0.5)
        feed.flows(0, 100, YEAR_2023)
        feed.flows(9000, 1, YEAR_2023 + 10)
        following.await_lines(100)
        running.process.kill()
        running.process.wait()
        feed.end()
        following.await_said("lost the stream")
        (self.folder / "netscope.sock").unlink()
        (self.folder / "again").mkdir()
        feed = feeding.Feed(self.folder / "again")
        self.addCleanup(feed.end)
        self.serve("--udp-timeout-s", 1, capture=feed.path, port=self.port)
        following.await_said("is back")
        feed.flows(100, 100, YEAR_2023 + 20)
        feed.flows(9000, 1, YEAR_2023 + 30)
        following.await_lines(200)
        self.end(following)
        self.assertEqual(len({row["id"] for row in following.rows()}), 200)
        self.assertIn("missing here: the sensor was restarted", following.stderr())


class Shells(CtlTest):
    def complete(self, *words):
        return self.ask("__complete", "--", *words, server="").split()

    def test_words_are_completed_from_the_tables(self):
        self.assertEqual(self.complete("fl"), ["flows"])
        self.assertEqual(self.complete("config", ""), ["get", "apply", "reset"])
        self.assertIn("--tcp-state", self.complete("flows", "--"))
        self.assertIn("--not", self.complete("flows", "--n"))
        self.assertEqual(self.complete("flows", "--tcp-state", "es"), ["established"])
        self.assertEqual(self.complete("flows", "--tcp-state", "=", "es"), ["established"])
        self.assertIn("flow.timeout_secs=", self.complete("config", "apply", "flow.t"))
        (self.folder / "token-of-ci").touch()
        self.assertEqual(self.complete("status", "--token-file", f"{self.folder}/tok"), [f"{self.folder}/token-of-ci"])
        self.assertEqual(self.complete("completion", ""), ["bash", "zsh", "fish"])

    def test_values_are_those_that_the_sensor_knows(self):
        self.serve("--flow-timeout-s", 0)
        server = ("--server", f"127.0.0.1:{self.port}")
        self.assertEqual(set(self.complete("flows", *server, "--app", "")), {"dns", "tls"})
        self.assertIn("www.google.com", self.complete("flows", *server, "--name", "www.goo"))
        self.assertEqual(self.complete("flows", "--server", "127.0.0.1:1", "--app", ""), [])

    def test_bash_takes_the_script(self):
        script = self.ask("completion", "bash", server="")
        words = subprocess.run(
            ["bash", "-c", f"netscopectl() {{ {ctl.BINARY} \"$@\"; }}; {script}\n"
             "COMP_WORDS=(netscopectl flows --tcp-state re); COMP_CWORD=3; _netscopectl; echo \"${COMPREPLY[@]}\""],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=sensor.environment(), check=True, text=True)
        self.assertEqual(words.stdout, "reset\n", words.stderr)


class Relays(CtlTest):
    def test_bytes_pass_both_ways_and_halves_close(self):
        path = self.folder / "echo.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        self.addCleanup(listener.close)

        def echo():
            connection, _ = listener.accept()
            with connection:
                while part := connection.recv(65536):
                    connection.sendall(part)
                connection.sendall(b"the end")  # after the other half was closed

        threading.Thread(target=echo, daemon=True).start()
        content = os.urandom(5 << 20)
        result = ctl.run("relay", "--socket", path, stdin=content)
        self.check(result)
        self.assertEqual(result.stdout, content + b"the end")

    def test_a_socket_that_is_not_there(self):
        self.check(ctl.run("relay", "--socket", self.folder / "none", stdin=b""), ctl.UNREACHABLE, "--grpc-socket")


KUBECTL = """#!/usr/bin/env python3
import os, sys
folder = os.environ["TEST_PODS"]
words = sys.argv[1:]
with open(f"{folder}/asked", "a") as asked:
    asked.write(" ".join(words) + "\\n")
if words[:2] == ["get", "pods"]:
    if os.path.exists(f"{folder}/refused"):
        sys.exit("error: You must be logged in to the server (Unauthorized)")
    if "-A" in words:
        print("shop cart-1  10.10.0.34 2001:db8::34\\nshop node-agent true 192.0.2.1")
        sys.exit(0)
    for name in sorted(os.listdir(f"{folder}/pods")):
        print(f"watching {name} node-of-{name}")
    sys.exit(0)
assert words[:4] == ["exec", "-i", "-n", "watching"], words
assert words[5:] == ["--", "netscopectl", "relay"], words
with open(f"{folder}/pods/{words[4]}") as file:
    path = file.read()
if not path:
    sys.exit(f"error: unable to upgrade connection: pod {words[4]} is not running")
os.execv(os.environ["TEST_CTL"], ["netscopectl", "relay", "--socket", path])
"""


class Fleets(CtlTest):
    """Sensors that no address names one by one: those of a name, those of a cluster whose kubectl is a stand-in."""

    def setUp(self):
        super().setUp()
        (self.folder / "bin").mkdir()
        (self.folder / "pods").mkdir()
        kubectl = self.folder / "bin" / "kubectl"
        kubectl.write_text(KUBECTL, encoding="ascii")
        kubectl.chmod(0o755)
        self.cluster = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "TEST_PODS": str(self.folder),
                        "TEST_CTL": ctl.BINARY}

    def pod(self, name):
        """A sensor in a pod: reached by its socket alone."""
        path = self.folder / f"{name}.sock"
        running = sensor.Running("-r", CAPTURE, "--grpc", "--grpc-bind", "", "--grpc-socket", path, "--report", "none",
                                 "--node-name", f"node-of-{name}", "--flow-timeout-s", 0)
        self.addCleanup(running.close)
        feeding.await_socket(path, running)
        sensor.until(lambda: "all is read" in running.stderr(), 60, running.stderr)
        (self.folder / "pods" / name).write_text(str(path), encoding="ascii")
        return running

    def test_a_cluster_is_asked_by_one_command(self):
        self.pod("a")
        self.pod("b")
        table = self.ask("status", "--kube", server="", settings=self.cluster)
        self.assertRegex(table, r"node-of-a +a on node-of-a +\S+ +read(.*\n)+.*node-of-b +b on node-of-b")
        flows = [json.loads(line) for line in
                 self.ask("flows", "--kube", "-n", "0", "-o", "jsonl", server="", settings=self.cluster).splitlines()]
        self.assertEqual({flow["node"] for flow in flows}, {"node-of-a", "node-of-b"})
        self.ask("status", "--kube", "-N", "here", "-l", "app=x", server="", settings=self.cluster)
        asked = (self.folder / "asked").read_text(encoding="ascii")
        self.assertIn("get pods -l app.kubernetes.io/name=netscope -o jsonpath=", asked)
        self.assertRegex(asked, r"get pods -l app=x .*-n here\n")

    def test_addresses_are_named_by_pods(self):
        self.pod("a")
        at = f"unix://{self.folder}/a.sock"
        self.assertRegex(self.ask("flows", "--pods", "-n", "3", server=at, settings=self.cluster),
                         r"(shop/cart-1:\d+ -> \S+ .*\n){3}")
        flow = json.loads(self.ask("flows", "--pods", "-n", "1", "-o", "jsonl", server=at, settings=self.cluster))
        self.assertIn(("10.10.0.34", "cart-1", "shop"),
                      [(flow[end]["ip"], flow[end]["name"], flow[end]["namespace"]) for end in ("endpoint_a", "endpoint_b")])
        self.ask("top", "--pods", server=at, settings={"PATH": "/nowhere"}, code=ctl.USAGE, said="cannot start kubectl")

    def test_a_pod_that_cannot_be_reached_is_listed(self):
        self.pod("a")
        (self.folder / "pods" / "b").touch()
        table = self.ask("status", "--kube", server="", settings=self.cluster, code=ctl.PARTLY,
                         said="b on node-of-b: error: unable to upgrade connection: pod b is not running")
        self.assertRegex(table, r"b on node-of-b +unreachable")

    def test_without_a_cluster_the_reason_is_told(self):
        self.ask("status", "--kube", server="", settings=self.cluster, code=ctl.UNREACHABLE, said="no pod has the labels")
        (self.folder / "refused").touch()
        self.ask("status", "--kube", server="", settings=self.cluster, code=ctl.UNREACHABLE, said="Unauthorized")
        self.ask("status", "--kube", server="", settings={"PATH": "/nowhere"}, code=ctl.USAGE,
                 said="cannot start kubectl.*in PATH")
        self.ask("status", "-N", "x", server="", code=ctl.USAGE, said="go with --kube")

    def test_pods_that_come_and_go_are_followed(self):
        self.pod("a")
        following = ctl.Following("alerts", "-f", "--kube", settings=self.cluster)
        self.addCleanup(following.close)
        asked = self.folder / "asked"

        def execs(name):
            text = asked.read_text(encoding="ascii") if asked.exists() else ""
            return text.count(f"exec -i -n watching {name} ")

        sensor.until(lambda: execs("a") == 1, 20, following.stderr)
        self.pod("b")
        sensor.until(lambda: execs("b") == 1, 30, following.stderr)
        (self.folder / "pods" / "a").write_text("", encoding="ascii")
        self.end(following)
        left = subprocess.run(["pgrep", "-f", f"relay --socket {self.folder}"], stdout=subprocess.PIPE, check=False)
        self.assertEqual(left.stdout, b"", "no relay outlives its client")

    @unittest.skipIf(grpc_client.missing() or os.geteuid() != 0, "needs root and " + (grpc_client.missing() or ""))
    def test_fifty_sensors_behind_a_name(self):
        """One is killed and comes back: every alert of every sensor comes once."""
        sensors, alerts, victim = 50, 30, 7
        types, stream = grpc_client.netscope("alert_service"), grpc_client.netscope("stream")
        began = time.monotonic()

        def serve(number):
            def watch(request, context):
                after = int(request.options.start.resume_after or 0)
                yield types.WatchAlertsResponse(node=f"n{number}", instance_id=f"i{number}", cursor=str(after),
                                                start=stream.StreamStarted(max_events=1))
                while after < alerts:
                    if (time.monotonic() - began) / 0.1 > after:  # the log grows by ten alerts a second
                        after += 1
                        event = types.AlertEvent(sequence=after)
                        event.alert.id, event.alert.node = f"{after:032x}", f"n{number}"
                        yield types.WatchAlertsResponse(node=f"n{number}", instance_id=f"i{number}", cursor=str(after),
                                                        events=[event])
                    elif not context.is_active():
                        return
                    else:
                        time.sleep(0.05)
                while context.is_active():
                    time.sleep(0.05)

            served = stand_in.StandIn({"WatchAlerts": watch}, f"127.0.1.{number}:{port}")
            self.addCleanup(served.stop)
            return served

        port = feeding.free_port()
        stand_ins = {number: serve(number) for number in range(1, sensors + 1)}
        hosts = self.folder / "hosts"
        hosts.write_text("".join(f"127.0.1.{number} fleet.example\n" for number in stand_ins), encoding="ascii")
        script = self.folder / "ctl"
        script.write_text(f"#!/bin/sh\nmount --bind {hosts} /etc/hosts && exec {ctl.BINARY} \"$@\"\n", encoding="ascii")
        script.chmod(0o755)
        following = ctl.Following("alerts", "-f", "-o", "jsonl", "--server", f"dns:///fleet.example:{port}",
                                  prefix=["unshare", "-m", script])
        self.addCleanup(following.close)
        following.await_lines(sensors * 5)
        stand_ins[victim].stop()
        following.await_said(f"lost the stream of 127.0.1.{victim}:{port}")
        serve(victim)
        following.await_lines(sensors * alerts)
        self.end(following)
        rows = [(row["node"], int(row["id"], 16)) for row in following.rows()]
        self.assertEqual(sorted(rows), sorted((f"n{number}", alert) for number in stand_ins
                                              for alert in range(1, alerts + 1)))

    def test_the_addresses_of_a_name(self):
        self.serve()
        # All of localhost: an address that nobody listens at is listed, not passed over.
        addresses = {entry[4][0] for entry in socket.getaddrinfo("localhost", self.port, type=socket.SOCK_STREAM)}
        result = ctl.run("status", "--server", f"dns:///localhost:{self.port}")
        self.check(result, ctl.DONE if addresses == {"127.0.0.1"} else ctl.PARTLY)
        self.assertIn(f"127.0.0.1:{self.port}", result.stdout.decode())
        self.assertEqual(len(result.stdout.splitlines()), 1 + len(addresses))
        self.ask("status", server="dns:///no-such-name.invalid", code=ctl.UNREACHABLE, said="has no address")


if __name__ == "__main__":
    if not os.access(ctl.BINARY, os.X_OK):
        print(f"no binary at {ctl.BINARY}: set NETSCOPECTL_BINARY")
        sys.exit(1)
    sensor.main()
