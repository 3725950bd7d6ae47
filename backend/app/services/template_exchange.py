"""Templates and presets as one file: out of this installation, and into it."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.db.models import ExtractionTemplate, SteeringPreset, TrainingTemplate
from app.db.repositories import datasets, features, models, templates, trainings
from app.schemas.template import (
    BUNDLE_FORMAT,
    BUNDLE_VERSION,
    BundledPreset,
    BundledTrainingTemplate,
    ExtractionTemplateWrite,
    ImportOutcome,
    OnDuplicate,
    TemplateBundle,
    TemplatesImported,
)
from app.services import template_rows
from app.services.template_rows import EXTRACTION, TRAINING, Kind
from app.services.template_service import extraction_values, training_values

MAX_NAME = 255


def export_bundle(session: Session) -> TemplateBundle:
    """Everything that is saved, without ids and times: those belong to this installation."""
    training = templates.list_all(session, TrainingTemplate)
    extraction = templates.list_all(session, ExtractionTemplate)
    presets = templates.list_presets(session)
    return TemplateBundle(
        format=BUNDLE_FORMAT,
        version=BUNDLE_VERSION,
        exported_at=datetime.now(UTC),
        training_templates=[
            BundledTrainingTemplate(**_fields(row, BundledTrainingTemplate)) for row in training
        ],
        extraction_templates=[
            ExtractionTemplateWrite(**_fields(row, ExtractionTemplateWrite)) for row in extraction
        ],
        steering_presets=[BundledPreset(**_fields(row, BundledPreset)) for row in presets],
    )


def import_bundle(
    session: Session, bundle: TemplateBundle, on_duplicate: OnDuplicate
) -> TemplatesImported:
    """Take over a file, all of it or (when an entry is invalid) nothing.

    Args:
        session: Open session.
        bundle: The file.
        on_duplicate: What happens to an entry whose name is taken.

    Raises:
        ValidationFailed: Settings that do not exist together.
    """
    outcomes = [
        *(_import_training(session, item, on_duplicate) for item in bundle.training_templates),
        *(_import_extraction(session, item, on_duplicate) for item in bundle.extraction_templates),
        *(_import_preset(session, item, on_duplicate) for item in bundle.steering_presets),
    ]
    counts = Counter(item.outcome for item in outcomes)
    return TemplatesImported(
        created=counts["created"],
        replaced=counts["replaced"],
        skipped=counts["skipped"],
        outcomes=outcomes,
    )


def _fields(row: Any, schema: type[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in schema.model_fields}


def _import_training(
    session: Session, item: BundledTrainingTemplate, on_duplicate: OnDuplicate
) -> ImportOutcome:
    values = item.model_dump()
    strange = []
    for column, find in (("model_id", models.get), ("dataset_id", datasets.get)):
        if values[column] is not None and find(session, values[column]) is None:
            values[column] = None
            strange.append(column.removesuffix("_id"))
    note = f"Its {' and '.join(strange)} are not on this machine." if strange else None
    values = training_values(session, values)
    return _put(session, TRAINING, "training_template", values, on_duplicate, note)


def _import_extraction(
    session: Session, item: ExtractionTemplateWrite, on_duplicate: OnDuplicate
) -> ImportOutcome:
    values = extraction_values(item.model_dump())
    return _put(session, EXTRACTION, "extraction_template", values, on_duplicate, None)


def _put(
    session: Session,
    kind: Kind[Any, Any],
    shown_kind: Any,
    values: dict[str, Any],
    on_duplicate: OnDuplicate,
    note: str | None,
) -> ImportOutcome:
    name = values["name"]
    existing = templates.find_by_name(session, kind.table, name.strip())
    if existing is not None and on_duplicate == "skip":
        return _skipped(shown_kind, name, "There is one of this name already.")
    if existing is not None and on_duplicate == "replace":
        template_rows.change(session, kind, existing.id, values)
        return ImportOutcome(kind=shown_kind, name=name, outcome="replaced", note=note)
    if existing is not None:
        values["name"] = _free_name(
            name, lambda wanted: templates.find_by_name(session, kind.table, wanted)
        )
        note = f'Renamed from "{name}".' + (f" {note}" if note else "")
    created = template_rows.create(session, kind, values)
    return ImportOutcome(kind=shown_kind, name=created.name, outcome="created", note=note)


def _import_preset(
    session: Session, item: BundledPreset, on_duplicate: OnDuplicate
) -> ImportOutcome:
    try:
        _require_whole(session, item)
    except NotFound as error:
        return _skipped("steering_preset", item.name, error.message)
    values = item.model_dump()
    existing = templates.find_preset(session, item.training_id, item.name)
    if existing is not None and on_duplicate == "skip":
        return _skipped("steering_preset", item.name, "There is one of this name already.")
    if existing is not None and on_duplicate == "replace":
        for name, value in values.items():
            setattr(existing, name, value)
        return ImportOutcome(kind="steering_preset", name=item.name, outcome="replaced", note=None)
    note = None
    if existing is not None:
        note = f'Renamed from "{item.name}".'
        values["name"] = _free_name(
            item.name, lambda name: templates.find_preset(session, item.training_id, name)
        )
    session.add(SteeringPreset(**values))
    session.flush()
    return ImportOutcome(kind="steering_preset", name=values["name"], outcome="created", note=note)


def _require_whole(session: Session, preset: BundledPreset) -> None:
    """
    Raises:
        NotFound: The preset's training or one of its features is not here.
    """
    if trainings.get(session, preset.training_id) is None:
        raise NotFound("Its training is not on this machine.")
    wanted = [item.feature_id for item in preset.features]
    found = features.get_many(session, wanted)
    if len(found) < len(set(wanted)) or any(f.training_id != preset.training_id for f in found):
        raise NotFound("Its features are not on this machine.")


def _skipped(kind: Any, name: str, note: str) -> ImportOutcome:
    return ImportOutcome(kind=kind, name=name, outcome="skipped", note=note)


def _free_name(name: str, find: Callable[[str], object | None]) -> str:
    """``name (2)``, ``name (3)``, …: the first that is free."""
    number = 2
    while True:
        ending = f" ({number})"
        wanted = name[: MAX_NAME - len(ending)] + ending
        if find(wanted) is None:
            return wanted
        number += 1
