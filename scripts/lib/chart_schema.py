#!/usr/bin/env python3
"""Writes the schema of the chart's values: helm/schema.yaml, and the sensor's settings as `netscope --print-schema` tells them.

Usage: chart_schema.py NETSCOPE > helm/netscope/values.schema.json
"""

import json
import pathlib
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRAFT = "http://json-schema.org/draft-07/schema#"
# Words of JSON schema; a map without one holds properties.
WORDS = {"type", "enum", "properties", "items", "additionalProperties"}


def closed(node):
    """An object with these properties and no other."""
    if WORDS & node.keys() and not isinstance(node.get("type"), dict):
        return node
    return {"type": "object", "additionalProperties": False, "properties": {name: closed(child) for name, child in node.items()}}


def main():
    settings = json.loads(subprocess.run([sys.argv[1], "--print-schema"], capture_output=True, check=True).stdout)
    del settings["$schema"]
    values = closed(yaml.safe_load((ROOT / "helm/schema.yaml").read_text()))
    values["properties"]["config"] = settings
    print(json.dumps({"$schema": DRAFT, "title": "Values of the chart of NetScope", **values}, indent=1))


main()
