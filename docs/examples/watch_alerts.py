#!/usr/bin/env python3
"""Prints every alert of a NetScope sensor once, whatever breaks: the sensor, the network, or this program.

    apt-get install python3-grpcio python3-protobuf protobuf-compiler
    protoc -I proto --python_out=build/python $(find proto -name '*.proto')
    PYTHONPATH=build/python docs/examples/watch_alerts.py 127.0.0.1:9871 /var/lib/alerts.cursor

The loop that resumes a stream: handle a message, store its cursor, resume after it. What comes twice when the program ends
between the two is told by (instance_id, sequence).
"""

import os
import sys
import time

import grpc
from netscope.v1 import alert_service_pb2, stream_pb2

LATER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED)


class Cursor:
    """Where in the sensor's log we are, in a file that is replaced as a whole."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path, encoding="ascii") as file:
                self.text = file.read()
        except FileNotFoundError:
            self.text = ""

    def store(self, text):
        with open(f"{self.path}.new", "w", encoding="ascii") as file:
            file.write(text)
        os.replace(f"{self.path}.new", self.path)
        self.text = text


def request_after(cursor):
    """Everything that is kept, or what follows the cursor; then what comes."""
    start = {"resume_after": cursor.text} if cursor.text else {"last": 1000}
    return alert_service_pb2.WatchAlertsRequest(
        options=stream_pb2.StreamOptions(follow=True, start=stream_pb2.StreamStart(**start)))


def watch(channel, cursor, metadata):
    """One stream, from the cursor to its end. Yields when the sensor is heard: the time to forget that it was away."""
    call = channel.unary_stream(
        "/netscope.v1.AlertService/WatchAlerts",
        request_serializer=alert_service_pb2.WatchAlertsRequest.SerializeToString,
        response_deserializer=alert_service_pb2.WatchAlertsResponse.FromString)
    for message in call(request_after(cursor), metadata=metadata):
        for gap in message.gaps:
            count = gap.count if gap.count_known else "an unknown number of"
            print(f"{message.node}: {count} alerts are missing ({stream_pb2.GapReason.Name(gap.reason)})", flush=True)
        for event in message.events:
            alert = event.alert
            print(f"{message.node} {event.sequence} {alert.kind}: {alert.description}", flush=True)
        cursor.store(message.cursor)
        yield


def main():
    target, path = sys.argv[1], sys.argv[2]
    token = os.environ.get("NETSCOPE_TOKEN")
    metadata = [("authorization", f"Bearer {token}")] if token else []
    cursor, pause = Cursor(path), 0.2
    while True:
        with grpc.insecure_channel(target) as channel:
            try:
                for _ in watch(channel, cursor, metadata):
                    pause = 0.2  # it lives: not because a channel opened, but because a message came
                return  # the sensor's run is over
            except grpc.RpcError as error:
                if error.code() not in LATER:
                    sys.exit(f"{target}: {error.code().name}: {error.details()}")
        time.sleep(pause)
        pause = min(2 * pause, 10)


if __name__ == "__main__":
    main()
