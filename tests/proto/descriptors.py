"""Descriptor sets as plain objects: what protoc writes with --descriptor_set_out, read without any library.

A message is a SimpleNamespace with the fields of google/protobuf/descriptor.proto that the checks look at.
"""

import struct
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

# Field number -> (name, kind): "text", "number", "numbers" (packed), the name of a message; a trailing * means a list.
MESSAGES = {
    "Set": {1: ("file", "File*")},
    "File": {1: ("name", "text"), 2: ("package", "text"), 3: ("dependency", "text*"), 4: ("message_type", "Message*"),
             5: ("enum_type", "Enum*"), 6: ("service", "Service*"), 9: ("source", "Source"),
             10: ("public_dependency", "number*"), 11: ("weak_dependency", "number*"), 12: ("syntax", "text")},
    "Message": {1: ("name", "text"), 2: ("field", "Field*"), 3: ("nested_type", "Message*"), 4: ("enum_type", "Enum*"),
                7: ("options", "MessageOptions"), 8: ("oneof_decl", "Oneof*"), 9: ("reserved_range", "Range*"),
                10: ("reserved_name", "text*")},
    "MessageOptions": {7: ("map_entry", "number")},
    "Oneof": {1: ("name", "text")},
    "Range": {1: ("start", "number"), 2: ("end", "number")},
    "Field": {1: ("name", "text"), 3: ("number", "number"), 4: ("label", "number"), 5: ("type", "number"),
              6: ("type_name", "text"), 9: ("oneof_index", "number"), 10: ("json_name", "text"),
              17: ("proto3_optional", "number")},
    "Enum": {1: ("name", "text"), 2: ("value", "EnumValue*"), 3: ("options", "EnumOptions"),
             4: ("reserved_range", "Range*"), 5: ("reserved_name", "text*")},
    "EnumOptions": {2: ("allow_alias", "number")},
    "EnumValue": {1: ("name", "text"), 2: ("number", "number")},
    "Service": {1: ("name", "text"), 2: ("method", "Method*")},
    "Method": {1: ("name", "text"), 2: ("input_type", "text"), 3: ("output_type", "text"),
               5: ("client_streaming", "number"), 6: ("server_streaming", "number")},
    "Source": {1: ("location", "Location*")},
    "Location": {1: ("path", "numbers"), 3: ("leading_comments", "text")},
}
REPEATED = 3
MESSAGE_TYPE, ENUM_TYPE = 11, 14


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def read_fields(data):
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = read_varint(data, at)
        elif wire == 2:
            length, at = read_varint(data, at)
            value, at = data[at:at + length], at + length
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = struct.unpack_from("<Q" if wire == 1 else "<I", data, at)[0], at + size
        else:
            raise ValueError(f"wire type {wire}")
        yield key >> 3, value


def read_numbers(data):
    numbers, at = [], 0
    while at < len(data):
        number, at = read_varint(data, at)
        numbers.append(number)
    return tuple(numbers)


def convert(kind, value):
    if kind == "number":
        return value
    if kind == "text":
        return value.decode()
    return read_numbers(value) if kind == "numbers" else read_message(kind, value)


def read_message(kind, data):
    fields = MESSAGES[kind]
    message = SimpleNamespace(**{name: [] if of.endswith("*") else None for name, of in fields.values()})
    for number, value in read_fields(data):
        if number not in fields:
            continue
        name, of = fields[number]
        if of.endswith("*"):
            getattr(message, name).append(convert(of[:-1], value))
        else:
            setattr(message, name, convert(of, value))
    return message


def read_set(data):
    return read_message("Set", data).file


def compile_protos(root, include):
    """The descriptor set of all protos below root/netscope, imports included, as bytes."""
    protos = sorted(str(path.relative_to(root)) for path in Path(root).rglob("*.proto"))
    ours = [path for path in protos if not path.startswith("google/")]
    with tempfile.TemporaryDirectory(prefix="netscope-test-") as folder:
        out = Path(folder) / "set"
        subprocess.run(["protoc-c", f"-I{root}", f"-I{include}", "--include_imports", "--include_source_info",
                        f"--descriptor_set_out={out}", *ours], check=True, stderr=subprocess.PIPE, text=True)
        return out.read_bytes()


def all_messages(file):
    """(name, path, message) of every message, nested ones too; the path is that of SourceCodeInfo."""
    def walk(messages, prefix, path):
        for index, message in enumerate(messages):
            name, here = prefix + message.name, (*path, index)
            yield name, here, message
            yield from walk(message.nested_type, name + ".", (*here, 3))
    yield from walk(file.message_type, "", (4,))


def all_enums(file):
    for index, enum in enumerate(file.enum_type):
        yield enum.name, (5, index), enum
    for name, path, message in all_messages(file):
        for index, enum in enumerate(message.enum_type):
            yield f"{name}.{enum.name}", (*path, 4, index), enum


def is_map_entry(message):
    return bool(message.options and message.options.map_entry)
