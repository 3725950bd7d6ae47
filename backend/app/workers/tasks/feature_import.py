"""Import of features from an archive: a transaction per part, so that it goes on where it was."""

import shutil
from functools import partial

from app.core.paths import safe_join
from app.db.repositories import feature_loading
from app.services.feature_exchange import importing
from app.services.feature_exchange.archives import file_hash, unpack_archive
from app.services.feature_exchange.fingerprint import dictionary_of
from app.services.feature_exchange.parts import load_part
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.leftovers import removed_at_the_end
from app.workers.tasks.resource import resource_id_of


def run_feature_import(context: JobContext) -> JobOutcome:
    """Load an archive's features; parts that stand there already are left as they are."""
    archive = safe_join(context.data_root, context.payload["upload"])
    with removed_at_the_end(archive.parent):
        folder = archive.parent / "unpacked"
        shutil.rmtree(folder, ignore_errors=True)
        context.report(0, 0, "Unpacking")
        unpack_archive(archive, folder)
        return JobOutcome(result=_load(context, importing.open_bundle(folder), file_hash(archive)))


def _load(context: JobContext, bundle: importing.Bundle, digest: str) -> dict[str, int]:
    training_id = resource_id_of(context)
    own = context.transaction(
        partial(dictionary_of, settings=context.settings, training_id=training_id)
    )
    importing.check_dictionary(bundle, own, any_dictionary=context.payload["any_dictionary"])
    known = context.transaction(
        partial(feature_loading.imported_parts, training_id=training_id, bundle=digest)
    )
    total, done, n_examples, n_skipped = sum(bundle.part_sizes), 0, 0, 0
    for number, size in enumerate(bundle.part_sizes):
        context.raise_if_stopped()
        context.report(done, total, f"Importing features: {done:,} of {total:,}", unit="features")
        if known.get(number) == size:
            n_skipped += size
        else:
            part = importing.mark_part(bundle.read(number), number, digest, own)
            n_examples += context.transaction(
                partial(load_part, training_id=training_id, part=part)
            )
        done += size
    context.transaction(feature_loading.analyze)
    return {"n_features": total - n_skipped, "n_skipped": n_skipped, "n_examples": n_examples}
