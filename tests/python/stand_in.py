"""A sensor's API as a test tells it: for what a real sensor cannot be made to do, streams that break at a given place,
refusals, gaps. Needs what grpc_client needs."""

from concurrent import futures

import grpc_client

grpc = grpc_client.grpc


class StandIn:
    """Serves methods = {"ListFlows": function(request, context)}; those of streams are generators. `calls` keeps what was
    asked, in order: (method, request)."""

    def __init__(self, methods, address="127.0.0.1:0", credentials=None):
        self.calls = []
        self._methods = {path: (types, methods[path.rsplit("/", 1)[1]])
                         for path, *types in grpc_client.methods() if path.rsplit("/", 1)[1] in methods}
        self._server = grpc.server(futures.ThreadPoolExecutor(8), options=[
            ("grpc.http2.min_ping_interval_without_data_ms", 5000), ("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self,))
        self.port = (self._server.add_insecure_port(address) if credentials is None
                     else self._server.add_secure_port(address, credentials))
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def service(self, call):
        """What grpc asks of a generic handler."""
        if call.method not in self._methods:
            return None
        (request_class, response_class, streams), serve = self._methods[call.method]

        def called(request, context):
            self.calls.append((call.method.rsplit("/", 1)[1], request))
            return serve(request, context)

        make = grpc.unary_stream_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
        return make(called, request_class.FromString, response_class.SerializeToString)

    def service_name(self):
        return None

    def stop(self):
        self._server.stop(0).wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
