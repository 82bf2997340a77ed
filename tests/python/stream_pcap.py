"""Captures through the API into a file of 16 MiB at most.

stream_pcap.py TARGET FILE SECONDS DATAGRAMS [@INTERFACE...] [FILTER] sends so many datagrams to port 9 of the loopback
when the capture has begun, and prints its end as JSON.
"""

import json
import socket
import sys

import grpc_client

MAX_BYTES = 16 << 20


def main():
    target, path, seconds, datagrams, *words = sys.argv[1:]
    messages, end = 0, None
    with grpc_client.Client(target) as client, open(path, "wb") as file:
        request = client.request("StreamPcap", filter=" ".join(word for word in words if word[0] != "@"),
                                 interfaces=[word[1:] for word in words if word[0] == "@"], max_bytes=MAX_BYTES)
        request.max_duration.seconds = int(seconds)
        for message in client.watch("StreamPcap", request):
            if message.HasField("start"):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    for _ in range(int(datagrams)):
                        sender.sendto(b"x" * 100, ("127.0.0.1", 9))
            file.write(message.data)
            messages += 1
            end = message.end
    print(json.dumps({"messages": messages, "reason": end.reason, "packets": end.packets, "bytes": end.bytes,
                      "dropped": end.dropped}))


if __name__ == "__main__":
    main()
