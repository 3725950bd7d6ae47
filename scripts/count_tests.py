"""Print ``N passed, M failed`` from the JUnit files of a folder; fail when a file is missing."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count(file: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped test cases of one JUnit file."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    files = sorted(Path(sys.argv[1]).glob("*.xml"))
    counts = [count(file) for file in files]
    passed, failed, skipped = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    note = f", {skipped} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{note}")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
