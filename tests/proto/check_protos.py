"""Checks proto/: buf's STANDARD rules of style, what protobuf-c 1.4 cannot do, a comment on everything that has a name of
its own; and, once there is a released version, that a change breaks no client of it (buf's FILE rules).

    check_protos.py [--root DIR] [--include DIR] [--released FILE] [--write-released]

FILE is a descriptor set, kept from the last tag on: proto/released.binpb. Without one nothing was released, and
everything may change. --write-released writes it, as a release does.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

import descriptors

PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*$")
LOWER_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*$")
UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
PACKAGE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")
VERSION = re.compile(r"\.v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?$")


def upper_snake(name):
    """TcpState -> TCP_STATE, as buf does."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).upper()


def check_file(file, by_name):
    path = Path(file.name)
    if file.syntax != "proto3":
        yield "says no syntax, or another one than proto3"
    if not file.package:
        yield "has no package"
        return
    if not PACKAGE.match(file.package):
        yield f"package {file.package} is not lower_snake.case"
    if not VERSION.search(file.package):
        yield f"package {file.package} ends in no version"
    if str(path.parent) != file.package.replace(".", "/"):
        yield f"package {file.package} lies in {path.parent}"
    if not LOWER_SNAKE.match(path.stem):
        yield "the file's name is not lower_snake_case"
    if file.public_dependency or file.weak_dependency:
        yield "has a public or weak import"
    used = {owner_of(name, by_name) for name in type_names(file)}
    for imported in file.dependency:
        if imported not in used:
            yield f"imports {imported} and uses nothing of it"


def type_names(file):
    for _, _, message in descriptors.all_messages(file):
        for field in message.field:
            if field.type_name:
                yield field.type_name
    for service in file.service:
        for method in service.method:
            yield from (method.input_type, method.output_type)


def owner_of(type_name, by_name):
    return by_name.get(type_name.lstrip("."), (None,))[0]


def check_messages(file, by_name):
    for name, _, message in descriptors.all_messages(file):
        if descriptors.is_map_entry(message):
            yield f"{name}: a map: protobuf-c knows none"
            continue
        if not PASCAL.match(message.name):
            yield f"message {name} is not PascalCase"
        for field in message.field:
            if not LOWER_SNAKE.match(field.name):
                yield f"{name}.{field.name} is not lower_snake_case"
            if field.proto3_optional:
                yield f"{name}.{field.name} is optional: protobuf-c knows none; use a oneof of one member"
        for oneof in message.oneof_decl:
            if not LOWER_SNAKE.match(oneof.name) and not oneof.name.startswith("_"):
                yield f"{name}.{oneof.name} is not lower_snake_case"
        if holds_itself(f"{file.package}.{name}", by_name):
            yield f"{name} contains itself: 42 KB of it overflow the stack of protobuf-c"


def holds_itself(full_name, by_name):
    seen, waiting = set(), [full_name]
    while waiting:
        message = by_name[waiting.pop()][1]
        for field in message.field:
            if field.type != descriptors.MESSAGE_TYPE:
                continue
            inner = field.type_name.lstrip(".")
            if inner == full_name:
                return True
            if inner not in seen:
                seen.add(inner)
                waiting.append(inner)
    return False


def check_enums(file):
    for name, _, enum in descriptors.all_enums(file):
        prefix = upper_snake(enum.name) + "_"
        if not PASCAL.match(enum.name):
            yield f"enum {name} is not PascalCase"
        if enum.options and enum.options.allow_alias:
            yield f"enum {name} allows aliases"
        first = enum.value[0]
        if first.number:
            yield f"enum {name}: the first value is not 0"
        for value in enum.value:
            if not UPPER_SNAKE.match(value.name):
                yield f"{name}.{value.name} is not UPPER_SNAKE_CASE"
            if not value.name.startswith(prefix):
                yield f"{name}.{value.name} does not begin with {prefix}"
            if not value.number and value.name != prefix + "UNSPECIFIED":
                yield f"{name}.{value.name}: the value 0 is {prefix}UNSPECIFIED"


def check_services(files):
    taken = {}
    for file in files:
        for service in file.service:
            if not PASCAL.match(service.name) or not service.name.endswith("Service"):
                yield f"{file.name}: service {service.name} is no PascalCase that ends in Service"
            for method in service.method:
                where = f"{file.name}: {service.name}.{method.name}"
                if not PASCAL.match(method.name):
                    yield f"{where} is not PascalCase"
                for suffix, message in (("Request", method.input_type), ("Response", method.output_type)):
                    short = message.split(".")[-1]
                    if short not in (method.name + suffix, service.name + method.name + suffix):
                        yield f"{where}: its {suffix.lower()} is called {short}"
                    if taken.setdefault(message, where) != where:
                        yield f"{where}: {short} is {taken[message]}'s as well"


def check_comments(file):
    comments = {location.path for location in file.source.location if (location.leading_comments or "").strip()}
    named = [(name, path) for name, path, message in descriptors.all_messages(file)
             if not descriptors.is_map_entry(message)]
    named += [(name, path) for name, path, _ in descriptors.all_enums(file)]
    for index, service in enumerate(file.service):
        named.append((service.name, (6, index)))
        named += [(f"{service.name}.{method.name}", (6, index, 2, place))
                  for place, method in enumerate(service.method)]
    for name, path in named:
        if path not in comments:
            yield f"{name} has no comment in front of it"


def index_of(files):
    return {f"{file.package}.{name}": (file.name, item) for file in files
            for walk in (descriptors.all_messages, descriptors.all_enums) for name, _, item in walk(file)}


def is_ours(file):
    return not file.name.startswith(("google/", "grpc/"))


def check_style(files):
    ours = [file for file in files if is_ours(file)]
    by_name = index_of(files)
    for file in ours:
        for problem in (*check_file(file, by_name), *check_messages(file, by_name), *check_enums(file),
                        *check_comments(file)):
            yield f"{file.name}: {problem}"
    yield from check_services(ours)


def check_breaks(before, now):
    """What a client of `before` would miss or misread in `now`."""
    present = {file.name: file for file in now}
    for file in before:
        if not is_ours(file):
            continue
        if file.name not in present:
            yield f"{file.name}: the file is gone"
            continue
        after = present[file.name]
        if (after.package, after.syntax) != (file.package, file.syntax):
            yield f"{file.name}: package or syntax changed"
        for problem in (*broken_messages(file, after), *broken_enums(file, after), *broken_services(file, after)):
            yield f"{file.name}: {problem}"


def broken_messages(file, after):
    present = {name: message for name, _, message in descriptors.all_messages(after)}
    for name, _, message in descriptors.all_messages(file):
        if name not in present:
            yield f"message {name} is gone"
            continue
        other = present[name]
        fields = {field.number: field for field in other.field}
        for field in message.field:
            if field.number not in fields:
                yield f"{name}.{field.name} = {field.number} is gone"
                continue
            old, new = shape_of(message, field), shape_of(other, fields[field.number])
            yield from (f"{name}.{field.name}: {what} was {old[what]} and is {new[what]}"
                        for what in old if old[what] != new[what])
        kept = {oneof.name for oneof in other.oneof_decl}
        yield from (f"{name}: oneof {oneof.name} is gone" for oneof in message.oneof_decl if oneof.name not in kept)
        yield from broken_reserved(name, message, other)


def shape_of(message, field):
    oneof = message.oneof_decl[field.oneof_index].name if field.oneof_index is not None else None
    return {"name": field.name, "JSON name": field.json_name, "type": (field.type, field.type_name),
            "repeated": field.label == descriptors.REPEATED, "oneof": oneof}


def broken_reserved(name, before, after):
    ranges = [(item.start, item.end) for item in after.reserved_range]
    for item in before.reserved_range:
        if not any(start <= item.start and item.end <= end for start, end in ranges):
            yield f"{name}: reserved {item.start} is free again"
    for word in before.reserved_name:
        if word not in after.reserved_name:
            yield f"{name}: the reserved name {word} is free again"


def broken_enums(file, after):
    present = {name: enum for name, _, enum in descriptors.all_enums(after)}
    for name, _, enum in descriptors.all_enums(file):
        if name not in present:
            yield f"enum {name} is gone"
            continue
        names = {value.number: value.name for value in present[name].value}
        for value in enum.value:
            if names.get(value.number) != value.name:
                yield f"{name}.{value.name} = {value.number} is gone or is called otherwise"
        yield from broken_reserved(name, enum, present[name])


def broken_services(file, after):
    present = {service.name: {method.name: method for method in service.method} for service in after.service}
    for service in file.service:
        if service.name not in present:
            yield f"service {service.name} is gone"
            continue
        for method in service.method:
            other = present[service.name].get(method.name)
            if other is None:
                yield f"{service.name}.{method.name} is gone"
            elif call_of(other) != call_of(method):
                yield f"{service.name}.{method.name}: request, response or streaming changed"


def call_of(method):
    return method.input_type, method.output_type, bool(method.client_streaming), bool(method.server_streaming)


def main():
    root = Path(__file__).resolve().parents[2] / "proto"
    parser = argparse.ArgumentParser(description="Checks proto/.")
    parser.add_argument("--root", type=Path, default=root)
    parser.add_argument("--include", type=Path, default=Path("/usr/include"))
    parser.add_argument("--released", type=Path)
    parser.add_argument("--write-released", action="store_true")
    arguments = parser.parse_args()
    released = arguments.released or arguments.root / "released.binpb"
    if not shutil.which("protoc-c"):
        print("protoc-c is not there")
        return 77
    compiled = descriptors.compile_protos(arguments.root, arguments.include)
    files = descriptors.read_set(compiled)
    problems = list(check_style(files))
    if released.exists():
        problems += check_breaks(descriptors.read_set(released.read_bytes()), files)
    if arguments.write_released and not problems:
        released.write_bytes(compiled)
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
