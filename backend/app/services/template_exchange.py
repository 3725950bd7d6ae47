"""Templates and presets as one file: out of this installation, and into it."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count
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
from app.services.steering_presets import check_settings
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
    training = _Shelf(session, TRAINING, "training_template", on_duplicate)
    extraction = _Shelf(session, EXTRACTION, "extraction_template", on_duplicate)
    outcomes = [
        *(training.put(item.name, partial(_training, item)) for item in bundle.training_templates),
        *(
            extraction.put(item.name, partial(_extraction, item))
            for item in bundle.extraction_templates
        ),
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


Checked = tuple[dict[str, Any], str | None]
"""Columns of a template, and what is to be said about them."""


def _training(item: BundledTrainingTemplate, session: Session) -> Checked:
    values = item.model_dump()
    strange = []
    for column, find in (("model_id", models.get), ("dataset_id", datasets.get)):
        if values[column] is not None and find(session, values[column]) is None:
            values[column] = None
            strange.append(column.removesuffix("_id"))
    note = f"Its {' and '.join(strange)} are not on this machine." if strange else None
    return training_values(session, values), note


def _extraction(item: ExtractionTemplateWrite, _session: Session) -> Checked:
    return extraction_values(item.model_dump()), None


class _Shelf:
    """One kind of templates with the names that are taken, read once for a whole file."""

    def __init__(
        self, session: Session, kind: Kind[Any, Any], shown: Any, on_duplicate: OnDuplicate
    ) -> None:
        self._session = session
        self._kind = kind
        self._shown = shown
        self._on_duplicate = on_duplicate
        template_rows.lock_names(session, kind)
        self._rows = {row.name.lower(): row for row in templates.list_all(session, kind.table)}
        self._tried: dict[str, int] = {}

    def put(self, name: str, check: Callable[[Session], Checked]) -> ImportOutcome:
        name = template_rows.clean_name(name)
        existing = self._rows.get(name.lower())
        if existing is not None and self._on_duplicate == "skip":
            return _skipped(self._shown, name, "There is one of this name already.")
        values, note = check(self._session)
        if existing is not None and self._on_duplicate == "replace":
            self._session.flush()  # it may be of this file itself
            template_rows.change(self._session, self._kind, existing.id, values)
            return self._outcome(name, "replaced", note)
        values["name"] = name
        if existing is not None:
            values["name"] = self._free_name(name)
            note = f'Renamed from "{name}".' + (f" {note}" if note else "")
        row = self._kind.table(**values)
        self._session.add(row)
        self._rows[row.name.lower()] = row
        return self._outcome(row.name, "created", note)

    def _outcome(self, name: str, outcome: Any, note: str | None) -> ImportOutcome:
        return ImportOutcome(kind=self._shown, name=name, outcome=outcome, note=note)

    def _free_name(self, name: str) -> str:
        """The next that is free; numbers that were found taken are not tried again."""
        number = self._tried.get(name.lower(), 1)
        while True:
            number += 1
            wanted = _numbered(name, number)
            if wanted.lower() not in self._rows:
                self._tried[name.lower()] = number
                return wanted


def _import_preset(
    session: Session, item: BundledPreset, on_duplicate: OnDuplicate
) -> ImportOutcome:
    try:
        _require_whole(session, item)
    except NotFound as error:
        return _skipped("steering_preset", item.name, error.message)
    values = item.model_dump() | {"settings": check_settings(item)}
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
    if preset.condition and not features.get_many(session, [preset.condition.feature_id]):
        raise NotFound("The feature of its condition is not on this machine.")


def _skipped(kind: Any, name: str, note: str) -> ImportOutcome:
    return ImportOutcome(kind=kind, name=name, outcome="skipped", note=note)


def _free_name(name: str, find: Callable[[str], object | None]) -> str:
    """``name (2)``, ``name (3)``, …: the first that is free."""
    return next(wanted for n in count(2) if find(wanted := _numbered(name, n)) is None)


def _numbered(name: str, number: int) -> str:
    ending = f" ({number})"
    return name[: MAX_NAME - len(ending)] + ending
