"""A client of the API that is none of ours: Debian's grpcio over messages that protoc makes of our protos.

Needs the packages python3-grpcio, python3-protobuf and protobuf-compiler; `missing()` says what is not there.
"""

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

import sensor

PROTO = sensor.ROOT / "proto"
SERVICES = ("sensor", "flow_service", "alert_service", "stats", "packet")

try:
    import grpc
except ImportError:
    grpc = None


def missing():
    """Why there is no client here, or None."""
    if grpc is None:
        return "needs python3-grpcio of Debian's python3"
    try:
        subprocess.run(["protoc", "--version"], check=True, stdout=subprocess.DEVNULL)
    except OSError:
        return "needs protoc (package protobuf-compiler)"
    return None


def _generate():
    folder = tempfile.TemporaryDirectory(prefix="netscope-test-proto-")
    protos = [str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto")]
    subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={folder.name}", *protos], check=True)
    return folder


class _Messages:
    """The modules of the protos by name ("netscope.v1.flow"), made when they are first asked for."""

    def __init__(self):
        self._folder = None

    def folder(self):
        """Where the modules are: for a program of its own."""
        self.module("netscope.v1.flow")
        return self._folder.name

    def module(self, name):
        if self._folder is None:
            self._folder = _generate()
            sys.path.insert(0, self._folder.name)
            for package in ("google", "grpc"):  # ours lie beside the installed ones
                path = Path(self._folder.name) / package
                if path.is_dir():
                    importlib.import_module(package).__path__.append(str(path))
        return importlib.import_module(f"{name}_pb2")


MESSAGES = _Messages()


def netscope(name):
    """The module of netscope/v1/<name>.proto."""
    return MESSAGES.module(f"netscope.v1.{name}")


def _described(service):
    from google.protobuf import descriptor_pb2
    proto = descriptor_pb2.ServiceDescriptorProto()
    service.CopyToProto(proto)
    return zip(service.methods, proto.method)


def message_class(descriptor):
    from google.protobuf import message_factory, symbol_database
    return symbol_database.Default().GetPrototype(descriptor) if hasattr(
        symbol_database.Default(), "GetPrototype") else message_factory.GetMessageClass(descriptor)


def methods():
    """(path, request class, response class, streams) of every method of netscope.v1."""
    found = []
    for name in SERVICES:
        for service in netscope(name).DESCRIPTOR.services_by_name.values():
            for method, proto in _described(service):
                found.append((f"/{service.full_name}/{method.name}", message_class(method.input_type),
                              message_class(method.output_type), proto.server_streaming))
    return found


class Client:
    """A channel, and calls by the method's name: client.call("GetStatus"), client.watch("WatchAlerts", options=...).

    With waits=False a connection that cannot be made is an error at once (UNAVAILABLE).
    """

    def __init__(self, target, credentials=None, token=None, options=(), waits=True):
        self._waits = waits
        options = [("grpc.enable_retries", 0), *options]
        self.channel = (grpc.insecure_channel(target, options=options) if credentials is None
                        else grpc.secure_channel(target, credentials, options=options))
        self.metadata = [] if token is None else [("authorization", f"Bearer {token}")]
        self._methods = {path.rsplit("/", 1)[1]: (path, *rest) for path, *rest in methods()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def request(self, name, **fields):
        return self._methods[name][1](**fields)

    def call(self, name, request=None, timeout=20, **fields):
        path, request_class, response_class, _ = self._methods[name]
        stub = self.channel.unary_unary(path, request_class.SerializeToString, response_class.FromString)
        return stub(request or request_class(**fields), timeout=timeout, metadata=self.metadata, wait_for_ready=self._waits)

    def watch(self, name, request=None, timeout=60, **fields):
        path, request_class, response_class, _ = self._methods[name]
        stub = self.channel.unary_stream(path, request_class.SerializeToString, response_class.FromString)
        return stub(request or request_class(**fields), timeout=timeout, metadata=self.metadata, wait_for_ready=self._waits)

    def raw(self, path, content, timeout=20):
        """Bytes as they are; returns bytes."""
        stub = self.channel.unary_unary(path, bytes, bytes)
        return stub(content, timeout=timeout, metadata=self.metadata, wait_for_ready=self._waits)


def details(error):
    """google.rpc.Status of a failed call, and its details by type: ErrorInfo, BadRequest."""
    MESSAGES.module("netscope.v1.flow")  # the generated google.rpc
    status_pb2, details_pb2 = (MESSAGES.module(f"google.rpc.{name}") for name in ("status", "error_details"))
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    found = {}
    for any_message in status.details:
        name = any_message.TypeName().rsplit(".", 1)[1]
        if hasattr(details_pb2, name):
            found[name] = getattr(details_pb2, name).FromString(any_message.value)
    return status, found
