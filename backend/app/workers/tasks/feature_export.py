"""Export of features: a transaction and a file per part, so that it goes on where it was."""

from functools import partial
from pathlib import Path
from typing import Any

from app.core.paths import ensure_private_dir, export_dir, export_scratch_dir
from app.db.repositories import feature_pages
from app.db.repositories.feature_pages import FeatureFilter
from app.ml.files import file_sha256, replacing_folder, sync_path, write_json
from app.services.feature_exchange import export_files, export_jobs
from app.services.feature_exchange.export_jobs import LEDGER, Ledger
from app.services.feature_exchange.exporting import file_format, origin_of
from app.services.feature_exchange.selection import Origin
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.leftovers import removed_at_the_end
from app.workers.tasks.resource import resource_id_of


def run_feature_export(context: JobContext) -> JobOutcome:
    """Write the chosen features into a file that can be fetched until it expires."""
    training_id, payload = resource_id_of(context), context.payload
    origin = context.transaction(
        partial(
            origin_of,
            settings=context.settings,
            training_id=training_id,
            exported_at=payload["exported_at"],
        )
    )
    wanted = export_jobs.filter_of(training_id, payload)
    scratch = ensure_private_dir(context.data_root / export_scratch_dir(context.job_id))
    with removed_at_the_end(scratch):
        n_features = _write_parts(context, origin, wanted, scratch)
        return JobOutcome(result=_finish(context, origin, scratch, n_features))


def _write_parts(context: JobContext, origin: Origin, wanted: FeatureFilter, scratch: Path) -> int:
    """Write what the attempt before this one did not; the number of features in all parts."""
    folder = ensure_private_dir(scratch / "parts")
    total = context.transaction(partial(feature_pages.count_all, wanted=wanted))
    ledger = Ledger.read(scratch)
    while True:
        context.raise_if_stopped()
        done = ledger.n_features
        context.report(done, total, f"Exporting features: {done:,} of {total:,}", unit="features")
        # May run twice while the database is away: the same part is then written over.
        write = partial(
            export_jobs.write_part,
            form=context.payload["format"], origin=origin, wanted=wanted, folder=folder,
            ledger=ledger,
        )  # fmt: skip
        ledger, files = context.transaction(write)
        if not files:
            return ledger.n_features
        for path in files:
            sync_path(path)
        write_json(scratch / LEDGER, ledger.to_json())


def _finish(context: JobContext, origin: Origin, scratch: Path, n_features: int) -> dict[str, Any]:
    context.report(n_features, n_features, "Packing the file", unit="features")
    form = file_format(context.payload["format"])
    name = f"features-{origin['training_id']}{form.suffix}"
    target = context.data_root / export_dir(context.job_id)
    with replacing_folder(target) as folder:
        form.finish(scratch / "parts", origin, folder / name)
    path = target / name
    return export_files.result_of(
        name, path.stat().st_size, file_sha256(path), n_features, context.settings.export_retention
    )
