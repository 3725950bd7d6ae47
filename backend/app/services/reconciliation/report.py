"""All findings, in the order in which they are mended."""

import logging
from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.services.reconciliation.exports import exports_without_files, files_of_past_exports
from app.services.reconciliation.finding import Finding
from app.services.reconciliation.missing_files import (
    checkpoints_without_files,
    rows_without_files,
)
from app.services.reconciliation.unknown_files import files_without_rows, leftovers

logger = logging.getLogger(__name__)

# Leftovers come first: one may be put back, and its row is then whole.
Look = Callable[[Session, Settings], Iterator[Finding]]
LOOKS: tuple[Look, ...] = (
    leftovers,
    rows_without_files,
    checkpoints_without_files,
    exports_without_files,
    files_of_past_exports,
    files_without_rows,
)
QUICK: dict[Look, Look] = {
    checkpoints_without_files: partial(checkpoints_without_files, deep=False)
}


def find_drift(session: Session, settings: Settings, *, deep: bool = True) -> list[Finding]:
    """Every difference between rows and files.

    Args:
        session: Open session.
        settings: Where the files are.
        deep: Whether to read the files of checkpoints for their checksums, too.
    """
    looks = LOOKS if deep else tuple(QUICK.get(look, look) for look in LOOKS)
    return [finding for look in looks for finding in look(session, settings)]


def repair(session: Session, settings: Settings) -> list[Finding]:
    """Find and mend, each in a transaction of its own; what was mended."""
    mended = []
    for look in LOOKS:
        for finding in list(look(session, settings)):
            finding.mend(session)
            session.commit()
            logger.warning("drift mended", extra={"what": finding.what, "remedy": finding.remedy})
            mended.append(finding)
    return mended
