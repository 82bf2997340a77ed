"""Adds up the JUnit files that ctest wrote, prints one summary and fails if any test did.

    summary.py NAME=FILE...      NAME is the build: sanitizers, tsan, clang
"""

import re
import sys
import xml.etree.ElementTree as ElementTree


def read_results(name, path):
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        yield {
            "build": name,
            "test": case.get("name"),
            "seconds": float(case.get("time") or 0),
            "status": status(case),
            "reasons": re.findall(r"SKIPPED: (.*)$", output, re.MULTILINE),
            "figures": re.findall(r"FIGURE: (.*)$", output, re.MULTILINE),
        }


def status(case):
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed" if case.get("status") == "run" else "failed"


def print_summary(results):
    print("\n== Summary")
    for build in dict.fromkeys(result["build"] for result in results):
        ours = [result for result in results if result["build"] == build]
        counts = {state: sum(r["status"] == state for r in ours) for state in ("passed", "failed", "skipped")}
        seconds = sum(result["seconds"] for result in ours)
        print(f"{build:12} {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped, "
              f"{seconds:.0f} s of tests")
    for result in results:
        for figure in result["figures"]:
            print(f"  {result['test']}: {figure}")
    for result in results:
        if result["status"] == "skipped" or result["reasons"]:
            reasons = result["reasons"] or ["no reason given"]
            for reason in dict.fromkeys(reasons):
                print(f"  SKIPPED {result['test']}: {reason}")
    for result in results:
        if result["status"] == "failed":
            print(f"  FAILED  {result['test']} ({result['build']})")


def main():
    results = []
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        results += read_results(name, path)
    print_summary(results)
    if not results:
        print("no test ran")
    return 1 if not results or any(result["status"] == "failed" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
