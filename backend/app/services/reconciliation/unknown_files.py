"""Files that no row knows, and what killed processes left."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.config import Settings
from app.db.models import (
    Activation,
    Checkpoint,
    Dataset,
    Job,
    LanguageModel,
    Tokenization,
    Training,
)
from app.services.reconciliation.finding import Finding, quarantine, remove
from app.services.reconciliation.protection import is_protected, protected_ids

HALF_WRITTEN = re.compile(r"^\.(?P<target>.+)\.(tmp-[0-9a-f]+|partial)$")
SET_ASIDE = re.compile(r"^\.(?P<target>.+)\.old-[0-9a-f]+$")
OF_A_JOB = re.compile(
    r"^(download-|upload-|export-|discovery-)?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}(-\d+\.json)?$"
)


def files_without_rows(session: Session, settings: Settings) -> Iterator[Finding]:
    """Folders where only known ones should be."""
    data_root = settings.data_root
    # Files are listed before rows are read: a row is always there before its files.
    places = {
        "models/*": _stored_ids(LanguageModel.id),
        "datasets/*": _stored_ids(Dataset.id),
        "datasets/*/tokenized/*": _stored_ids(Tokenization.id),
        "activations/*": _stored_ids(Activation.id),
        "checkpoints/*": _stored_ids(Training.id),
        "exports/*": _stored_ids(Job.id),
    }
    found = {pattern: sorted(data_root.glob(pattern)) for pattern in places}
    steps = sorted(data_root.glob("checkpoints/*/step_*"))
    busy = protected_ids(session)
    for pattern, read_ids in places.items():
        known = read_ids(session)
        for path in found[pattern]:
            if path.name not in known and not _is_leftover(path) and not is_protected(path, busy):
                yield _unknown(data_root, path)
    known_steps = set(session.scalars(select(Checkpoint.file_path)))
    trainings = places["checkpoints/*"](session)
    for path in steps:
        is_known = path.relative_to(data_root).as_posix() in known_steps
        # Of an unknown training the whole folder is moved.
        if not is_known and path.parent.name in trainings and not is_protected(path, busy):
            yield _unknown(data_root, path)


def leftovers(session: Session, settings: Settings) -> Iterator[Finding]:
    """Half written files and folders of jobs that have ended."""
    root = settings.data_root
    found = half_written(root)
    own = ("cache/*", "cache/trash/*", "cache/discovery/*")
    found += [path for pattern in own for path in root.glob(pattern) if OF_A_JOB.match(path.name)]
    for folder in ("jobs", "secrets"):
        found += sorted((settings.run_dir / folder).glob("*"))
    busy = protected_ids(session)
    for path in sorted(found):
        if not is_protected(path, busy) and "lost+found" not in path.parts:
            yield _leftover(settings.home, path)


def half_written(root: Path) -> list[Path]:
    """Temporary and set aside files and folders below ``root``, by their names."""
    return [path for path in root.rglob(".*") if _is_leftover(path)]


def put_back(path: Path) -> bool:
    """Give what was set aside its name again when nothing replaced it; False for all else."""
    aside = SET_ASIDE.match(path.name)
    target = path.with_name(aside["target"]) if aside else None
    if target is None or target.exists() or not path.exists():
        return False
    path.rename(target)
    return True


def _leftover(home: Path, path: Path) -> Finding:
    what = f"{path.relative_to(home)}"
    aside = SET_ASIDE.match(path.name)
    target = path.with_name(aside["target"]) if aside else None
    if target is not None and not target.exists():
        problem = "was set aside for a replacement that never came"
        return Finding(what, problem, "put it back", lambda _: _put_back(path))
    return Finding(
        what, "was left by a process that ended too early", "delete it", lambda _: remove(path)
    )


def _put_back(path: Path) -> None:
    put_back(path)


def _unknown(data_root: Path, path: Path) -> Finding:
    what = path.relative_to(data_root).as_posix()
    mend = partial(_move_away, data_root=data_root, path=path)
    return Finding(what, "no row knows it", "move it to lost+found", mend)


def _move_away(_session: Session, *, data_root: Path, path: Path) -> None:
    quarantine(data_root, path)


def _is_leftover(path: Path) -> bool:
    return HALF_WRITTEN.match(path.name) is not None or SET_ASIDE.match(path.name) is not None


class _stored_ids:  # noqa: N801 - reads as the function that it is
    """Ids of a table as text, read when called."""

    def __init__(self, column: InstrumentedAttribute[Any]) -> None:
        self._column = column

    def __call__(self, session: Session) -> frozenset[str]:
        return frozenset(str(key) for key in session.scalars(select(self._column)))
