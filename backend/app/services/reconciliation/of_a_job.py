"""What the process of one job left when the job ended without its doing."""

from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.paths import safe_join
from app.db.models import Job
from app.db.repositories import trainings
from app.services import outbox
from app.services.reconciliation.finding import remove
from app.services.reconciliation.protection import is_protected, protected_ids
from app.services.reconciliation.unknown_files import half_written, put_back

SCRATCH = (
    "cache/download-{job}",
    "cache/export-{job}",
    "cache/discovery/discovery-{job}",
    "exports/{job}",
)


def clear_after(session: Session, settings: Settings, job: Job) -> None:
    """Delete after the commit what an ended job can no longer delete itself.

    Its scratch (a download may be as large as a model), its upload, and what lies half written
    beside the thing that it worked on, unless another job works on that. A trash stays: what is in
    it may still have rows.
    """
    root = settings.data_root
    found = [root / pattern.format(job=job.id) for pattern in SCRATCH]
    if upload := job.payload.get("upload"):
        found.append(safe_join(root, upload).parent)
    sharing = {str(training.id) for training in trainings.list_sharing(session, job.id)}
    own = frozenset({str(job.id), str(job.resource_id)} | sharing) - protected_ids(session)
    found += [path for path in half_written(root) if is_protected(path.relative_to(root), own)]
    for path in found:
        outbox.after_commit(session, partial(_clear, path))


def _clear(path: Path) -> None:
    if not put_back(path):
        remove(path)
