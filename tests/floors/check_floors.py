"""Checks that every folder under src/ includes and links only strictly lower floors, and that a third-party
library is included in its own folder only and never in a header of ours.

    check_floors.py [--root DIR] [--build DIR]

With --build the static libraries that are there are read with nm as well: a folder that calls a function of its
own floor or a higher one is found even when it declared the function itself.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

# The house: docs/architecture.md says what belongs on each floor.
FLOORS = {
    "base": 0,
    "config": 1, "net": 1,
    "decode": 2, "capture": 2,
    "flow": 3,
    "detect": 4,
    "pipeline": 5,
    "aggregate": 6,
    "report": 7, "control": 7,
    "api": 8, "door": 8,
    "rpc": 9, "http": 9, "export": 9,
    "app": 10, "ctl": 10,
}

# Third-party headers by the start of their path, and the folders whose sources may include them.
THIRD_PARTY = {
    "openssl/ssl.h": {"door"},
    "openssl/": {"base", "door"},
    "sys/capability.h": {"base"}, "xxhash.h": {"base"},
    "yaml.h": {"config"},
    "pcap.h": {"capture"}, "pcap/": {"capture"},
    # zlib: capture unpacks, export packs closed files (output.compress).
    "zlib.h": {"capture", "export"}, "zstd.h": {"capture"}, "zstd_errors.h": {"capture"},
    # Generated of the protos. Reflection is gRPC's alone; messages are made and read by the API and by its client.
    "google/protobuf/descriptor.pb-c.h": {"rpc"}, "grpc/reflection/": {"rpc"}, "grpc/health/": {"api"},
    "protobuf-c/": {"api", "ctl"}, "google/": {"api", "ctl"}, "netscope/v1/": {"api", "ctl"},
    "jansson.h": {"api"},
    "grpc/": {"rpc"},
    "microhttpd.h": {"http"}, "wslay/": {"http"},
    "curl/": {"export"},
}

# What comes with the compiler, the C library and the kernel.
SYSTEM = re.compile(
    r"(assert|complex|ctype|dirent|dlfcn|endian|errno|fcntl|fenv|float|fnmatch|getopt|glob|grp|ifaddrs|inttypes|"
    r"iso646|libgen|limits|locale|malloc|math|netdb|poll|pthread|pwd|regex|sched|semaphore|setjmp|signal|spawn|std\w+|"
    r"string|strings|syslog|termios|threads|time|uchar|unistd|wchar|wctype|zconf|"
    r"(sys|net|netinet|netpacket|arpa|linux|asm|bits|sanitizer)/[\w/-]+|[a-z0-9]*intrin)\.h$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
FOLDER_CALL = re.compile(r"netscope_folder\s*\(\s*(\w+)(.*?)\)", re.DOTALL)
LINKED = re.compile(r"\bnetscope_(\w+)")


def check_includes(source_root):
    for path in sorted(source_root.rglob("*.[ch]")):
        folder = path.relative_to(source_root).parts[0]
        for delimiter, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            problem = check_include(path, folder, delimiter, name)
            if problem:
                yield f"{path.relative_to(source_root.parent)}: includes {name}: {problem}"


def check_include(path, folder, delimiter, name):
    first = name.split("/")[0]
    if delimiter == '"' and first in FLOORS and "/" in name:
        return check_floor(folder, first)
    for start, folders in THIRD_PARTY.items():
        if name.startswith(start):
            return check_third_party(path, folder, folders)
    if delimiter == '"':
        return None if (path.parent / name).exists() else "neither a folder of src/ nor a file beside it"
    return None if SYSTEM.match(name) else "unknown third-party header: add it to the table of check_floors.py"


def check_third_party(path, folder, folders):
    if folder not in folders:
        return f"a third-party header that belongs to {', '.join(sorted(folders))}"
    if path.suffix == ".h":
        return "a third-party header in a header of ours"
    return None


def check_floor(folder, lower):
    if folder not in FLOORS:
        return f"folder {folder} has no floor"
    if folder == lower or FLOORS[lower] < FLOORS[folder]:
        return None
    return f"{lower} is on floor {FLOORS[lower]}, {folder} on {FLOORS[folder]}"


def check_links(source_root):
    """FLOORS of netscope_folder() and every netscope_<folder> that a CMakeLists.txt names."""
    for path in sorted(source_root.glob("*/CMakeLists.txt")):
        folder = path.parent.name
        if folder not in FLOORS:
            yield f"src/{folder}: has no floor: add it to the table of check_floors.py"
            continue
        text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
        for lower in sorted(linked_folders(text)):
            problem = check_floor(folder, lower)
            if problem:
                yield f"src/{folder}/CMakeLists.txt: links {lower}: {problem}"


def linked_folders(text):
    linked = set(LINKED.findall(text)) & set(FLOORS)
    for _, arguments in FOLDER_CALL.findall(text):
        words, keyword = arguments.split(), None
        for word in words:
            if word in ("SOURCES", "FLOORS", "LIBRARIES"):
                keyword = word
            elif keyword == "FLOORS":
                linked.add(word)
    return linked


def check_symbols(build):
    """Calls between the static libraries, as the linker sees them."""
    defined, wanted = {}, {}
    for folder in FLOORS:
        library = build / "src" / folder / f"libnetscope_{folder}.a"
        if library.exists():
            ours, others = symbols(library)
            wanted[folder] = others - ours
            defined.update({symbol: folder for symbol in ours})
    for folder, names in wanted.items():
        for symbol in sorted(names & defined.keys()):
            problem = check_floor(folder, defined[symbol])
            if problem:
                yield f"libnetscope_{folder}.a: calls {symbol}() of {defined[symbol]}: {problem}"


def symbols(library):
    listing = subprocess.run(["nm", "-P", "-g", library], stdout=subprocess.PIPE, text=True, check=True).stdout
    ours, others = set(), set()
    for line in listing.splitlines():
        words = line.split()
        if len(words) >= 2 and len(words[1]) == 1:
            # Lower case are weak or local symbols: copies that the compiler made, no calls of ours.
            if words[1] in "TDBRC":
                ours.add(words[0])
            elif words[1] == "U":
                others.add(words[0])
    return ours, others


def check(root, build=None):
    source_root = root / "src"
    problems = list(check_includes(source_root)) + list(check_links(source_root))
    if build is not None:
        problems += check_symbols(build)
    return problems


def main():
    parser = argparse.ArgumentParser(description="Checks the floors of src/.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path)
    arguments = parser.parse_args()
    problems = check(arguments.root, arguments.build)
    for problem in problems:
        print(problem)
    files = len(list((arguments.root / "src").rglob("*.[ch]")))
    print(f"{files} files, {len(problems)} problems")
    return 1 if problems or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
