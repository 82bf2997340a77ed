"""Writes netscopectl.1 from what `netscopectl --help` and `netscopectl COMMAND --help` say.

    ctl_manual.py NETSCOPECTL
"""

import re
import subprocess
import sys

SHARED = "Connection"  # a group that most commands have: told once

HEAD = r'''.\" Written by scripts/generate-docs from the help of netscopectl; a test keeps them equal.
.TH NETSCOPECTL 1 "" NetScope "User commands"
.nh
.ad l
.SH NAME
netscopectl \- asks NetScope sensors by their API
.SH SYNOPSIS
.B netscopectl
.I command
.RI [ options ]
.SH DESCRIPTION
Shows what
.BR netscope (8)
sensors see: how they are, flows, alerts, packets; and changes their settings.
'''

FOOT = r'''.SH FILES
.TP
.I /run/netscope/netscope.sock
The unix socket of the sensor on this machine.
.TP
.I ~/.config/netscope/netscopectl.conf
Options of the connection, a line each: \fBserver = 10.0.0.1:9871\fR.
.SH SEE ALSO
.BR netscope (8)
'''


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True).stdout


def plain(text):
    """Text as roff prints it; a hyphen is one that can be pasted into a shell."""
    for character, escape in (("\\", r"\e"), ("-", r"\-"), ("~", r"\(ti"), ("^", r"\(ha")):
        text = text.replace(character, escape)
    return r"\&" + text if text[:1] in (".", "'") else text


def commands_of(overview):
    section = overview.split("Commands:\n", 1)[1].split("\n\n", 1)[0]
    return [re.split(r" {2,}", line.strip(), maxsplit=1)[0] for line in section.splitlines()]


def rows_of(lines):
    """(option, text) of a group; a text stands on the option's line or on the next one."""
    rows = []
    for line in lines:
        name, _, text = line.strip().partition("  ")
        if line.startswith("   ") and rows:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {line.strip()}".strip())
        else:
            rows.append((name, text.strip()))
    return rows


def parts_of(text):
    """(usage, summary, paragraphs, groups) of a command's help, groups as (title, rows)."""
    blocks = [block.splitlines() for block in text.strip("\n").split("\n\n")]
    usage, summary = blocks[0]
    paragraphs = [block for block in blocks[1:] if not block[0].endswith(":")]
    groups = [(block[0][:-1], rows_of(block[1:])) for block in blocks[1:] if block[0].endswith(":")]
    return usage, summary.strip(), paragraphs, groups


def write_group(title, rows):
    print(f".PP\n{plain(title)}:")
    for option, text in rows:
        print(f".TP\n.B {plain(option)}\n{plain(text)}")


def write_command(program, name):
    usage, summary, paragraphs, groups = parts_of(help_of(program, *name.split()))
    print(f".SS {plain(name)}\n.B {plain(usage)}\n.PP\n{plain(summary[:1].upper() + summary[1:])}.")
    for lines in paragraphs:
        print(".PP\n" + "\n".join(map(plain, lines)))
    for title, rows in groups:
        if title != SHARED:
            write_group(title, rows)
    return dict(groups).get(SHARED)


def main():
    program = sys.argv[1]
    overview = help_of(program)
    print(HEAD, end="")
    for block in overview.strip("\n").split("\n\n")[2:]:
        print(".PP\n" + "\n".join(map(plain, block.splitlines())))
    print(".SH COMMANDS")
    shared = [write_command(program, name) for name in commands_of(overview)]
    print(".SH OPTIONS OF THE CONNECTION\nOf all commands that ask a sensor.")
    for option, text in next(rows for rows in shared if rows):
        print(f".TP\n.B {plain(option)}\n{plain(text)}")
    print(FOOT, end="")


main()
