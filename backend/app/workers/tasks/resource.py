"""The thing that a job works on."""

from uuid import UUID

from app.workers.context import JobContext


def resource_id_of(context: JobContext) -> UUID:
    """Id of the job's resource.

    Raises:
        LookupError: A job of this kind was created without one.
    """
    if context.resource_id is None:
        raise LookupError(f"a {context.kind} job needs a resource")
    return context.resource_id
