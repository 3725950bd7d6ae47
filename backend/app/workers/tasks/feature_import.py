"""Import of features from a file: a transaction per part, so that it goes on where it was."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from app.core.paths import safe_join
from app.db.repositories import feature_loading
from app.services.feature_exchange import importing
from app.services.feature_exchange.archives import BundleInvalid, file_hash
from app.services.feature_exchange.dry_run import compare_part
from app.services.feature_exchange.fingerprint import DictionaryFacts, dictionary_of
from app.services.feature_exchange.import_reports import DryRunReport, LoadReport
from app.services.feature_exchange.parts import load_part
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.leftovers import removed_at_the_end
from app.workers.tasks.resource import resource_id_of


def run_feature_import(context: JobContext) -> JobOutcome:
    """Load a file's features, or say what that would do.

    Parts that stand there already are left as they are.
    """
    upload = safe_join(context.data_root, context.payload["upload"])
    with removed_at_the_end(upload.parent):
        training_id = resource_id_of(context)
        own = context.transaction(
            partial(dictionary_of, settings=context.settings, training_id=training_id)
        )
        if context.payload.get("dry_run"):
            return JobOutcome(result=_try(context, upload, own))
        bundle = _open(context, upload)
        importing.check_dictionary(bundle, own, any_dictionary=context.payload["any_dictionary"])
        return JobOutcome(result=_load(context, bundle, file_hash(upload), own))


def _open(context: JobContext, upload: Path) -> importing.Bundle:
    folder = upload.parent / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    context.report(0, 0, "Unpacking")
    importing.unpack(upload, folder)
    return importing.open_bundle(folder)


def _load(
    context: JobContext, bundle: importing.Bundle, digest: str, own: DictionaryFacts | None
) -> dict[str, Any]:
    training_id = resource_id_of(context)
    known = context.transaction(
        partial(feature_loading.imported_parts, training_id=training_id, bundle=digest)
    )
    report = LoadReport()
    total, done = sum(bundle.part_sizes), 0
    for number, size in enumerate(bundle.part_sizes):
        context.raise_if_stopped()
        context.report(done, total, f"Importing features: {done:,} of {total:,}", unit="features")
        done += size
        if known.get(number) == size:
            report.n_skipped += size
            continue
        part = importing.read_part(bundle, number, digest, own)
        report.refuse(part.refused)
        if part.rows and known.get(number) == len(part.rows):
            report.n_skipped += len(part.rows)
            continue
        load = partial(load_part, training_id=training_id, part=part)
        report.n_examples += context.transaction(load)
        report.n_features += len(part.rows)
    report.raise_if_nothing_was_readable()
    context.transaction(feature_loading.analyze)
    return report.to_json()


def _try(context: JobContext, upload: Path, own: DictionaryFacts | None) -> dict[str, Any]:
    """Read everything and compare; a file that an import would refuse is an answer, too."""
    report = DryRunReport()
    try:
        bundle = _open(context, upload)
        importing.check_dictionary(bundle, own, any_dictionary=context.payload["any_dictionary"])
        _compare(context, bundle, own, report)
    except BundleInvalid as error:
        report.would_fail = error.message
    return report.to_json()


def _compare(
    context: JobContext, bundle: importing.Bundle, own: DictionaryFacts | None, report: DryRunReport
) -> None:
    training_id = resource_id_of(context)
    total, done = sum(bundle.part_sizes), 0
    for number, size in enumerate(bundle.part_sizes):
        context.raise_if_stopped()
        context.report(done, total, f"Comparing features: {done:,} of {total:,}", unit="features")
        done += size
        part = importing.read_part(bundle, number, "", own)
        compare = partial(compare_part, training_id=training_id, part=part)
        report.add(part, context.transaction(compare))
