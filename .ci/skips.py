"""Prints what was skipped and why; fails on a skip that the list does not name.

Usage: skips.py JUNIT.xml ALLOWED.txt. A line of ALLOWED is `part: why`; a skipped
test is allowed when its name or the reason it gives contains the part.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree


def main(report: str, allowed_file: str) -> int:
    lines = Path(allowed_file).read_text(encoding="utf-8").splitlines()
    allowed = [line.partition(":")[0].strip() for line in lines if line.strip() and line[0] != "#"]
    skipped = [
        (f"{case.get('classname')}.{case.get('name')}", _reason(skip))
        for case in ElementTree.parse(report).iter("testcase")
        for skip in case.iter("skipped")
    ]
    unnamed = 0
    for name, reason in skipped:
        known = any(part in name or part in reason for part in allowed)
        unnamed += not known
        print(f"skipped{'' if known else ' AND NOT ALLOWED'}: {name}: {reason}")
    print(f"{len(skipped)} skipped, {unnamed} of them not named by {allowed_file}")
    return 1 if unnamed else 0


def _reason(skip: ElementTree.Element) -> str:
    """Return why a test was skipped; of a whole module only the text says it."""
    message = skip.get("message", "")
    return (skip.text or message).strip() if message == "collection skipped" else message


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
