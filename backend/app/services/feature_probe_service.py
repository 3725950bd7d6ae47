"""Trying features out in the warm process: a text, a sheet of lines, an ablation."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.core.errors import NotReady
from app.core.paths import checkpoint_dir
from app.db.models import Feature, Training
from app.db.repositories import features, trainings
from app.ml.configs import METRIC_DEFINITIONS
from app.schemas.feature_probe import (
    Ablation,
    ClassFigure,
    ClassScores,
    FeatureProbe,
    ProbedFeature,
    ProbeResult,
)
from app.services import job_service
from app.services.job_waiting import wait_for_job
from app.services.lookup import (
    FeatureNotFound,
    require_feature,
    require_ready_model,
    require_training,
)


class NoContexts(NotReady):
    pass


def probe(
    session: Session,
    settings: Settings,
    request: FeatureProbe,
    is_abandoned: Callable[[], bool],
) -> ProbeResult:
    """Encode what somebody typed, and wait for the answer.

    Raises:
        TrainingNotFound, FeatureNotFound: What the request names does not exist.
        NotReady: The training has no checkpoint.
        JobFailed: The text cannot be read; the code and sentence are the core's.
    """
    training = require_training(session, request.training_id)
    payload = probed_place(session, training) | {
        "text": request.text,
        "lines": None if request.lines is None else [vars(line) for line in request.lines],
        "top_k": request.top_k,
        "features": _indices(session, training, request.feature_ids),
    }
    job_id, found = _run(session, settings, JobKind.FEATURE_PROBE, payload, is_abandoned)
    known = features.by_index(session, training.id, _mentioned(found))
    return ProbeResult(
        job_id=job_id,
        tokens=found["tokens"],
        token_ids=found["token_ids"],
        n_firing=found["n_firing"],
        features=[
            ProbedFeature(
                **_named(known, firing["feature"]),
                share_of_max=_share(known.get(firing["feature"]), firing["max_activation"]),
                **{key: firing[key] for key in ("max_activation", "position", "activations")},
            )
            for firing in found["firings"]
        ],
        classes=[
            ClassScores(
                expected=entry["expected"],
                n_expected=entry["n_expected"],
                n_other=entry["n_other"],
                features=[
                    ClassFigure(
                        **_named(known, score["feature"]),
                        **{key: value for key, value in score.items() if key != "feature"},
                    )
                    for score in entry["scores"]
                ],
            )
            for entry in found["classes"]
        ],
        definition=METRIC_DEFINITIONS["class_auc"],
    )


def ablate(
    session: Session,
    settings: Settings,
    feature_id: int,
    n_contexts: int,
    is_abandoned: Callable[[], bool],
) -> Ablation:
    """Take a feature out on its strongest contexts, and wait for the answer.

    Raises:
        FeatureNotFound: It does not exist.
        NoContexts: It never fired.
        JobFailed: The ablation failed in its process.
    """
    feature = require_feature(session, feature_id)
    training = require_training(session, feature.training_id)
    contexts = [row.token_ids for row in features.list_examples(session, feature_id, n_contexts)]
    if not contexts:
        raise NoContexts(
            "This feature has no contexts to ablate it on; it never fired.",
            details={"feature_id": feature_id},
        )
    payload = probed_place(session, training) | {
        "feature": feature.neuron_index,
        "contexts": contexts,
    }
    _, found = _run(session, settings, JobKind.FEATURE_ABLATE, payload, is_abandoned)
    return Ablation(
        feature_id=feature_id, definition=METRIC_DEFINITIONS["feature_ablation"], **found
    )


def _run(
    session: Session,
    settings: Settings,
    kind: JobKind,
    payload: dict[str, Any],
    is_abandoned: Callable[[], bool],
) -> tuple[Any, dict[str, Any]]:
    job = job_service.create_job(session, kind, None, None, payload, max_attempts=2)
    session.commit()
    ended = wait_for_job(session, job.id, settings.steering_timeout.total_seconds(), is_abandoned)
    return ended.id, ended.result or {}


def probed_place(session: Session, training: Training) -> dict[str, Any]:
    """Model and dictionary: the checkpoint that the features come from, else the latest.

    Raises:
        NotReady: There is none, or the model is not ready.
    """
    model = require_ready_model(session, training.model_id)
    steps = [row.step for row in trainings.list_checkpoints(session, training.id)]
    measured = features.checkpoint_step(session, training.id)
    if measured is not None and measured not in steps:
        raise NotReady(
            f'The checkpoint that the features of "{training.name}" come from is gone. Discover '
            "its features again.",
            details={"training_id": str(training.id), "checkpoint_step": measured},
        )
    if not steps:
        raise NotReady(
            f'The training "{training.name}" has no checkpoint yet. Let it train first.',
            details={"training_id": str(training.id)},
        )
    step = measured if measured is not None else max(steps)
    return {
        "model_id": str(model.id),
        "memory_bytes": model.memory_req_bytes or 0,
        "sae_path": str(checkpoint_dir(training.id, step)),
        "layer": training.layer,
        "hook_type": training.hook_type,
    }


def _indices(session: Session, training: Training, feature_ids: Sequence[int]) -> list[int]:
    found = features.get_many(session, feature_ids)
    own = [feature.neuron_index for feature in found if feature.training_id == training.id]
    if len(own) != len(set(feature_ids)):
        raise FeatureNotFound(
            "Some of these features do not exist in this training.",
            details={"feature_ids": list(feature_ids)},
        )
    return own


def _mentioned(found: dict[str, Any]) -> list[int]:
    scores = [score for entry in found["classes"] for score in entry["scores"]]
    return sorted({entry["feature"] for entry in (*found["firings"], *scores)})


def _named(known: dict[int, Feature], index: int) -> dict[str, Any]:
    feature = known.get(index)
    return {
        "id": feature.id if feature else None,
        "neuron_index": index,
        "name": (feature.name or feature.label) if feature else None,
    }


def _share(feature: Feature | None, activation: float) -> float | None:
    return activation / feature.max_activation if feature and feature.max_activation else None
