"""Name what failed and print ``N passed, M failed`` from the JUnit files of a folder.

Fails when a test did, or when there are no files.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

REASON_LINES = 12


def reason_of(report: str) -> str:
    """The first lines of what a runner says of a failure; of pytest's, its own words alone."""
    lines = [line for line in report.splitlines() if line.strip()]
    told = [line[1:] for line in lines if line.startswith("E ")] or lines
    return "".join(f"    {line.strip()}\n" for line in told[:REASON_LINES])


def count(file: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped test cases of one JUnit file; names the failed ones."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        fault = next((found for tag in ("failure", "error") if (found := case.find(tag)) is not None), None)
        if fault is not None:
            failed += 1
            print(f"{file.stem}: {case.get('classname')}: {case.get('name')}")
            print(reason_of(fault.text or ""))
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
