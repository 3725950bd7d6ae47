"""What a start finds out about rows and files: listed for a person, nothing touched."""

import json
import logging
import os
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.services.reconciliation.report import find_drift

logger = logging.getLogger(__name__)

MAX_LOGGED = 20


def drift_file(settings: Settings) -> Path:
    return settings.run_dir / "drift.json"


def count_drift(settings: Settings) -> int | None:
    """How many differences the last start found; None when none has looked yet."""
    try:
        return len(json.loads(drift_file(settings).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def list_drift_at_start(session: Session, settings: Settings) -> int:
    """Write every difference to ``run/drift.json`` and the first ones to the log.

    Names, sizes and manifests only: checksums would keep a start with many checkpoints waiting.

    Returns:
        How many there are.
    """
    findings = find_drift(session, settings, deep=False)
    shown = [
        {"what": found.what, "problem": found.problem, "remedy": found.remedy} for found in findings
    ]
    path = drift_file(settings)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(shown, indent=1))
    os.replace(temporary, path)  # noqa: PTH105
    for finding in shown[:MAX_LOGGED]:
        logger.warning("drift found at the start", extra=finding)
    return len(findings)
