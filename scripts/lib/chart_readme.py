#!/usr/bin/env python3
"""Writes the chart's README: what helm/README.head.md says, then a table of values.yaml, whose comments `# -- ` describe the value
below them.

Usage: chart_readme.py > helm/netscope/README.md
"""

import json
import pathlib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/netscope"


def description(lines, line):
    """The comment that ends above `line`, from its `# -- ` on; None when there is none."""
    words = []
    while line > 0 and (text := lines[line - 1].strip()).startswith("#"):
        line -= 1
        if text.startswith("# -- "):
            return " ".join([text[5:], *reversed(words)])
        words.append(text[1:].strip())
    return None


def rows(node, lines, path=""):
    """(key, value, description) of each described value, in order."""
    for name, value in node.value:
        key = f"{path}{name.value}"
        said = description(lines, name.start_mark.line)
        if said is not None:
            yield key, value, said
        elif isinstance(value, yaml.MappingNode) and value.value:
            yield from rows(value, lines, key + ".")
        else:
            raise SystemExit(f"values.yaml: {key} has no description: write `# -- ...` above it")


def cell(text):
    return text.replace("|", "\\|")


def main():
    text = (CHART / "values.yaml").read_text()
    print((ROOT / "helm/README.head.md").read_text().rstrip())
    print("\n## Values\n\n| key | default | meaning |\n| --- | --- | --- |")
    for key, value, said in rows(yaml.compose(text), text.splitlines()):
        standard = json.dumps(yaml.SafeLoader("").construct_object(value, deep=True))
        print(f"| `{key}` | `{cell(standard)}` | {cell(said)} |")
    print("\nEvery other setting of [docs/configuration.md](../../docs/configuration.md) can stand below `config` as well.")


main()
