"""Labels written by a language model of this machine, where somebody asks for them."""

from app.api.deps import MetaDep, PostingDep, SessionDep, SettingsDep, enveloped, failures
from app.api.section import Section
from app.schemas.common import Envelope, JobAccepted
from app.schemas.feature_labels import FeatureLabelling, LabelWriter
from app.services.label_writing import labelling

router = Section(prefix="/features", tags=["features"])


@router.get("/label-writers", responses=failures())
def list_label_writers(
    session: SessionDep, settings: SettingsDep, meta: MetaDep
) -> Envelope[list[LabelWriter]]:
    """List what could write labels: models with a chat template, a configured server."""
    return enveloped(labelling.list_writers(session, settings), meta)


@router.post("/labels", status_code=202, responses=failures(404, 409, 422))
def write_labels(
    body: FeatureLabelling, session: SessionDep, settings: SettingsDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Let a language model of this machine write labels, by a job; names of people stay."""
    return posting.queued(body, lambda: labelling.queue_labelling(session, settings, body))
