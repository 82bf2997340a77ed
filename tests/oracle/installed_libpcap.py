"""What the libpcap of this machine says of a filter, asked by ctypes: the tables come from a newer one, and filters
with host names want a resolver."""

import ctypes
import ctypes.util


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint), ("instructions", ctypes.c_void_p)]


class _Header(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("microseconds", ctypes.c_long), ("captured", ctypes.c_uint32),
                ("length", ctypes.c_uint32)]


def _load():
    library = ctypes.CDLL(ctypes.util.find_library("pcap"))
    library.pcap_open_offline.restype = ctypes.c_void_p
    library.pcap_open_offline.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    library.pcap_compile.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Program), ctypes.c_char_p, ctypes.c_int,
                                     ctypes.c_uint32]
    library.pcap_next_ex.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.POINTER(_Header)),
                                     ctypes.POINTER(ctypes.c_void_p)]
    library.pcap_offline_filter.argtypes = [ctypes.POINTER(_Program), ctypes.POINTER(_Header), ctypes.c_void_p]
    library.pcap_freecode.argtypes = [ctypes.POINTER(_Program)]
    library.pcap_close.argtypes = [ctypes.c_void_p]
    return library


def accepted(path, text):
    """Whether each packet passes the filter, or None when libpcap refuses the filter."""
    library, program = _load(), _Program()
    handle = library.pcap_open_offline(str(path).encode(), ctypes.create_string_buffer(256))
    if not handle:
        raise OSError(f"libpcap cannot open {path}")
    try:
        if library.pcap_compile(handle, ctypes.byref(program), text.encode(), 1, 0xFFFFFFFF) != 0:
            return None
        verdicts = list(_verdicts(library, handle, program))
        library.pcap_freecode(ctypes.byref(program))
        return verdicts
    finally:
        library.pcap_close(handle)


def _verdicts(library, handle, program):
    header, content = ctypes.POINTER(_Header)(), ctypes.c_void_p()
    while library.pcap_next_ex(handle, ctypes.byref(header), ctypes.byref(content)) == 1:
        yield library.pcap_offline_filter(ctypes.byref(program), header, content) > 0
