"""Adds up the JUnit files that ctest wrote, prints one summary and fails if any test did.

    summary.py NAME=FILE...          NAME is the build: sanitizers, tsan, clang; a second file of the same NAME holds
                                     what was tried once more
    summary.py --try-again FILE      the tests from outside that failed and may be tried once more, as a regular
                                     expression; nothing when there are none, or so many that no chance explains them
"""

import re
import sys
import xml.etree.ElementTree as ElementTree


# A test from outside waits for processes, ticks and packets of a loaded machine: at most so many fail by chance.
MOST_BY_CHANCE = 3

# What a checker found is never chance.
FOUND = re.compile(r"Sanitizer|runtime error:|Assertion .* failed")


def read_results(name, path):
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        yield {
            "build": name,
            "test": case.get("name"),
            "seconds": float(case.get("time") or 0),
            "status": status(case),
            "found": bool(FOUND.search(output)),
            "reasons": re.findall(r"SKIPPED: (.*)$", output, re.MULTILINE),
            "figures": re.findall(r"FIGURE: (.*)$", output, re.MULTILINE),
        }


def status(case):
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed" if case.get("status") == "run" else "failed"


def print_again(path):
    failed = [result for result in read_results("", path) if result["status"] == "failed"]
    chance = all(result["test"].startswith("e2e_") and not result["found"] for result in failed)
    if failed and chance and len(failed) <= MOST_BY_CHANCE:
        print("^(" + "|".join(result["test"] for result in failed) + ")$")


def second_tries(first, second):
    """The results of the first run; one that failed and passed when it was tried alone counts as unsteady."""
    again = {result["test"]: result["status"] for result in second}
    for result in first:
        if result["status"] == "failed" and again.get(result["test"]) == "passed":
            result["status"] = "unsteady"
    return first


def print_summary(results):
    print("\n== Summary")
    for build in dict.fromkeys(result["build"] for result in results):
        ours = [result for result in results if result["build"] == build]
        counts = {state: sum(r["status"] == state for r in ours) for state in ("passed", "unsteady", "failed", "skipped")}
        seconds = sum(result["seconds"] for result in ours)
        print(f"{build:12} {counts['passed'] + counts['unsteady']} passed, {counts['failed']} failed, {counts['skipped']} skipped, "
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
        if result["status"] == "unsteady":
            print(f"  UNSTEADY {result['test']} ({result['build']}): failed beside others, passed alone; its output is above")
    for result in results:
        if result["status"] == "failed":
            print(f"  FAILED  {result['test']} ({result['build']})")


def main():
    if sys.argv[1] == "--try-again":
        print_again(sys.argv[2])
        return 0
    runs = {}
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        run = list(read_results(name, path))
        runs[name] = second_tries(runs[name], run) if name in runs else run
    results = [result for run in runs.values() for result in run]
    print_summary(results)
    if not results:
        print("no test ran")
    return 1 if not results or any(result["status"] == "failed" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
