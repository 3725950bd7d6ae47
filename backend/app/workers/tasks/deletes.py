"""Background deletions; none of them needs torch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from uuid import UUID

from sqlalchemy.orm import Session

from app.services import deletion
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.resource import resource_id_of


def run_dataset_delete(context: JobContext) -> JobOutcome:
    dataset_id = resource_id_of(context)
    return _delete(context, deletion.dataset_files(dataset_id), deletion.delete_dataset_row)


def run_model_delete(context: JobContext) -> JobOutcome:
    files = context.transaction(partial(deletion.model_files, model_id=resource_id_of(context)))
    return _delete(context, files, deletion.delete_model_row)


def run_activation_delete(context: JobContext) -> JobOutcome:
    files = deletion.activation_files(resource_id_of(context))
    return _delete(context, files, deletion.delete_activation_row)


def run_training_delete(context: JobContext) -> JobOutcome:
    files = deletion.training_files(resource_id_of(context))
    return _delete(context, files, deletion.delete_training_row)


def _delete(
    context: JobContext,
    files: list[PurePosixPath],
    delete_rows: Callable[[Session, UUID], None],
) -> JobOutcome:
    """Delete the rows, move the files, commit, free the space.

    The rows go first, so that one that is needed after all keeps its files; both are undone or
    repeated together, because a folder that lies in the trash already is passed over.
    """
    resource_id = resource_id_of(context)
    context.report(0, 1, "Deleting")

    def work(session: Session) -> Path:
        delete_rows(session, resource_id)
        return deletion.move_to_trash(context.data_root, context.job_id, files)

    deletion.empty_trash(context.transaction(work))
    return JobOutcome()
