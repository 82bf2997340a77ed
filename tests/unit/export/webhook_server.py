"""A webhook for the tests: takes POSTs, answers as it is told, and writes what it got.

    webhook_server.py BODIES [--certificate PEM] [--slow] [STATUS ...]

Prints its port. Each request is answered with the next STATUS, the last one again and again; its body becomes a line of
the file BODIES when it is answered with 200. --slow: answers nothing until the client has gone.
"""

import argparse
import http.server
import ssl
import sys


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.options.slow:
            self.rfile.read(1)
            return
        statuses = self.server.options.status
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        if self.headers["Content-Type"] != "application/json":
            status = 415
        if status == 200:
            with open(self.server.options.bodies, "ab") as bodies:
                bodies.write(body + b"\n")
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


parser = argparse.ArgumentParser()
parser.add_argument("bodies")
parser.add_argument("status", nargs="*", type=int)
parser.add_argument("--certificate")
parser.add_argument("--slow", action="store_true")
options = parser.parse_args()
options.status = options.status or [200]
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
server.options = options
if options.certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
