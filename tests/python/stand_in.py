"""A sensor's API as a script tells it: for what a real sensor cannot be made to do, streams that break at a given place,
refusals, gaps. Python's gRPC over the very protos; importing it needs python3-grpcio and protoc."""

import importlib
import shutil
import subprocess
import sys
import tempfile
from concurrent import futures
from pathlib import Path

import grpc

ROOT = Path(__file__).resolve().parents[2]

_modules = tempfile.TemporaryDirectory(prefix="netscope-test-protos-")


def _generate():
    protoc = shutil.which("protoc")
    if protoc is None:
        raise ImportError("protoc is missing")
    protos = [str(path) for folder in ("netscope/v1", "google/rpc") for path in (ROOT / "proto" / folder).glob("*.proto")]
    subprocess.run([protoc, f"-I{ROOT / 'proto'}", "-I/usr/include", f"--python_out={_modules.name}", *protos], check=True)
    # google/ is a package of its own already: google.rpc is looked for beside google.protobuf.
    import google
    google.__path__.append(str(Path(_modules.name) / "google"))
    sys.path.insert(0, _modules.name)


_generate()
SERVICES = {name: importlib.import_module(f"netscope.v1.{file}_pb2") for name, file in {
    "SensorService": "sensor", "FlowService": "flow_service", "AlertService": "alert_service", "StatsService": "stats",
    "PacketService": "packet"}.items()}
flow_pb2 = importlib.import_module("netscope.v1.flow_pb2")
alert_pb2 = importlib.import_module("netscope.v1.alert_pb2")
stream_pb2 = importlib.import_module("netscope.v1.stream_pb2")
status_pb2 = importlib.import_module("google.rpc.status_pb2")
error_details_pb2 = importlib.import_module("google.rpc.error_details_pb2")


def message_type(service, name):
    return getattr(SERVICES[service], name)


class StandIn:
    """Serves methods = {"FlowService.ListFlows": function(request, context)}; what a generator yields is streamed."""

    def __init__(self, methods, address="127.0.0.1:0", credentials=None):
        self.calls = []  # (method, request), in their order
        self._server = grpc.server(futures.ThreadPoolExecutor(16), options=[
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000)])
        self._server.add_generic_rpc_handlers((self._handler(methods),))
        if credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, credentials)
        self._server.start()

    def _handler(self, methods):
        stand_in = self

        class Handler(grpc.GenericRpcHandler):
            def service(self, call):
                service, method = call.method.split(".")[-1].split("/")
                serve = methods.get(f"{service}.{method}")
                if serve is None:
                    return None
                request_type = message_type(service, f"{method}Request")
                streams = getattr(serve, "streams", False)

                def called(request, context):
                    stand_in.calls.append((f"{service}.{method}", request))
                    return serve(request, context)

                make = grpc.unary_stream_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
                return make(called, request_deserializer=request_type.FromString,
                            response_serializer=lambda message: message.SerializeToString())
        return Handler()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        self._server.stop(0).wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def streams(function):
    function.streams = True
    return function
