"""Which program this is, and what a database remembers of the program that last changed it.

A database carries its revision (Alembic's) and, as the comment of Alembic's table, the release that
brought it up to date with a digest of every revision file as it was then. A comment needs no table
of its own, outlives every downgrade and is part of every backup.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VERSIONS_FOLDER = Path(__file__).resolve().parents[2] / "alembic" / "versions"
RECORD_QUERY = (
    "SELECT version_num, obj_description('alembic_version'::regclass, 'pg_class') "
    "FROM alembic_version"
)
_REVISION = re.compile(r"^(down_)?revision\b[^=]*= *[\"'](\w+)[\"']", re.MULTILINE)


@dataclass(frozen=True)
class SchemaRecord:
    """What a database remembers.

    Attributes:
        revision: The revision that it stands at; None before the first.
        release: The program that brought it there; None when that left no word.
        digests: SHA-256 of each applied revision's file, by revision.
    """

    revision: str | None
    release: str | None
    digests: Mapping[str, str]

    @classmethod
    def parse(cls, revision: str | None, comment: str | None) -> "SchemaRecord":
        """From the row of ``RECORD_QUERY``; a comment of somebody else's counts as none."""
        try:
            found = json.loads(comment or "{}")
            return cls(revision, found.get("release"), dict(found.get("digests") or {}))
        except (ValueError, AttributeError, TypeError):
            return cls(revision, None, {})

    def comment(self) -> str:
        return json.dumps({"release": self.release, "digests": dict(self.digests)}, sort_keys=True)


def newest_revision(folder: Path = VERSIONS_FOLDER) -> str | None:
    """The revision that no other one follows; None when there is not exactly one."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for text in _revision_files(folder):
        for down, name in _REVISION.findall(text):
            (followed if down else revisions).add(name)
    heads = revisions - followed
    return heads.pop() if len(heads) == 1 else None


def revision_digests(folder: Path = VERSIONS_FOLDER) -> dict[str, str]:
    """SHA-256 of every revision's file, by revision; how lines end does not count."""
    found = {}
    for text in _revision_files(folder):
        for down, name in _REVISION.findall(text):
            if not down:
                found[name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _revision_files(folder: Path) -> list[str]:
    return [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py"))]


def _release() -> str:
    try:
        return version("mistudio")
    except PackageNotFoundError:
        return "0.1.0"


# Read at the import: a process whose files are replaced while it runs stays what it was.
RELEASE = _release()
REVISION = newest_revision()
