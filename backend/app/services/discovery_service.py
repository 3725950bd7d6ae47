"""Queueing the discovery of a training's features."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind, ResourceType
from app.core.errors import NotReady
from app.db.models import Checkpoint, Job, Training
from app.db.repositories import trainings
from app.ml.configs import DiscoveryConfig
from app.schemas.common import JobAccepted
from app.schemas.feature import FeatureExtract
from app.services import job_service, template_rows
from app.services.feature_jobs import refuse_if_features_busy
from app.services.job_service import Link
from app.services.job_summaries import accepted
from app.services.lookup import require_training
from app.services.ml_settings import build_config
from app.services.template_rows import EXTRACTION
from app.services.training_records import source_files


def extract_features(session: Session, request: FeatureExtract) -> JobAccepted:
    """Queue a discovery over the latest checkpoint of a training.

    A setting of the request wins over the template's. A training that still runs goes on: the
    discovery shares its device and reads the checkpoint of this moment.

    Raises:
        NotReady: The training has no checkpoint, or its activations were deleted.
        InUse: A job works on the training.
    """
    training = require_training(session, request.training_id, lock=True)
    checkpoint = _require_checkpoint(session, training)
    refuse_if_features_busy(session, training)
    source_files(session, training)
    given = request.model_dump(exclude={"training_id", "template_id"}, exclude_unset=True)
    config = build_config(DiscoveryConfig, _template_values(session, request.template_id) | given)
    # A running training would be waited for otherwise, and the features be of no use meanwhile.
    shares = training.status.is_under_way
    job = queue_discovery(session, training.id, config, step=checkpoint.step, shares_device=shares)
    return accepted(job)


def queue_discovery(
    session: Session,
    training_id: UUID,
    config: DiscoveryConfig,
    *,
    step: int | None = None,
    shares_device: bool = False,
    link: Link | None = None,
) -> Job:
    """Queue a discovery over a checkpoint, by default the latest that there is when it starts."""
    payload = {
        "config": config.to_dict(),
        "checkpoint_step": step,
        "shares_device": shares_device,
    }
    resource = (ResourceType.TRAINING, training_id)
    return job_service.create_job(session, JobKind.FEATURE_EXTRACT, *resource, payload, link=link)


def _template_values(session: Session, template_id: UUID | None) -> dict[str, int]:
    if template_id is None:
        return {}
    template = template_rows.require(session, EXTRACTION, template_id)
    return {"examples_per_feature": template.top_k_examples} if template.top_k_examples else {}


def _require_checkpoint(session: Session, training: Training) -> Checkpoint:
    details = {"training_id": str(training.id), "status": training.status}
    checkpoint = trainings.latest_checkpoint(session, training.id)
    if checkpoint is None:
        raise NotReady(
            f'The training "{training.name}" has no checkpoint yet. Let it train first.',
            details=details,
        )
    return checkpoint
