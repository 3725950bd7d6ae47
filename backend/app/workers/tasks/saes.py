"""Imports of dictionaries, and the proof of an export; both compare on real activations."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from app.core.paths import activation_dir, checkpoint_dir, model_dir
from app.ml.activation_extraction import ActivationStore
from app.ml.errors import SaeFormatError
from app.ml.files import folder_size_bytes
from app.ml.interchange import (
    check_export,
    import_sae,
    read_foreign,
    rows_of_store,
    rows_of_text,
)
from app.ml.interchange.foreign import ForeignSae
from app.ml.interchange.importing import ImportedSae
from app.ml.interchange.real_rows import RealRows
from app.ml.language_models import load_language_model
from app.services.corpora.document import Progress
from app.services.corpora.python_docs import PythonDocs
from app.services.hub.model_files import download_model_files
from app.services.hub.sae_files import list_sae_files
from app.services.sae_records import (
    IMPORTED_STEP,
    ComparePlan,
    ImportRecord,
    plan_check,
    plan_import,
    record_check,
    record_import,
)
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks.leftovers import removed_at_the_end
from app.workers.tasks.resource import resource_id_of

DOWNLOAD_SHARE = 0.8
Place = tuple[int, str, str]


def run_sae_import(context: JobContext) -> JobOutcome:
    """Bring a dictionary of this machine or of the hub into a checkpoint, with proof."""
    payload = context.payload
    if "path" in payload:
        return _import(context, Path(payload["path"]), {}, start=0.0)
    repo_id, subfolder = payload["repo_id"], payload["subfolder"]
    token = context.token.take()
    context.report(0, 0, "Asking the hub")
    commit, files = list_sae_files(repo_id, payload["revision"], subfolder, token)
    folder = context.data_root / "cache" / f"download-{context.job_id}"
    with removed_at_the_end(folder):
        download_model_files(repo_id, commit, files, folder, token, partial(_report, context))
        source = folder / subfolder if subfolder else folder
        return _import(context, source, {"revision": commit}, start=DOWNLOAD_SHARE)


def run_sae_check(context: JobContext) -> JobOutcome:
    """Prove what a checkpoint is exported as; the report stays beside the checkpoint."""
    training_id, step = UUID(context.payload["training_id"]), context.payload["step"]
    plan = context.transaction(partial(plan_check, training_id=training_id))
    context.report(0, 1, "Reading activations")
    rows = _real_rows(context, plan, (plan.layer, plan.reads, plan.writes))
    context.raise_if_stopped()
    context.report(0.5, 1, "Comparing the export with its checkpoint")
    checkpoint = context.data_root / checkpoint_dir(training_id, step)
    report = check_export(checkpoint, rows, context.data_root / "cache")
    parity = report.to_json() | {"measured_on": rows.source}
    context.transaction(partial(record_check, training_id=training_id, step=step, parity=parity))
    return JobOutcome(result={"parity": parity})


def _import(
    context: JobContext, source: Path, origin: dict[str, Any], *, start: float
) -> JobOutcome:
    training_id = resource_id_of(context)
    context.report(start, 1, "Reading the dictionary")
    foreign = read_foreign(source)
    place = _place_of(foreign, context.payload)
    layer, reads, writes = place
    named = context.payload["activation_id"]
    plan = context.transaction(
        partial(
            plan_import,
            training_id=training_id,
            activation_id=UUID(named) if named else None,
            layer=layer,
            places={reads, writes},
        )
    )
    context.report(start + 0.1, 1, "Reading activations")
    rows = _real_rows(context, plan, place)
    context.raise_if_stopped()
    context.report(start + 0.15, 1, "Comparing it with its source")
    folder = context.data_root / checkpoint_dir(training_id, IMPORTED_STEP)
    made = import_sae(foreign, place, rows.x_ND, rows.target_ND, folder)
    found = ImportRecord(
        layer=layer,
        hook_type=reads,
        encoder_type=made.encoder_type,
        hyperparameters=_hyperparameters(made, foreign),
        activation_id=plan.activation_id,
        size_bytes=folder_size_bytes(folder),
        origin=_with_parity(made, rows) | origin,
        evaluate=context.payload["evaluate"],
    )
    context.transaction(
        partial(record_import, training_id=training_id, job_id=context.job_id, found=found)
    )
    shown = {"format": foreign.source_format, "n_latents": made.d_sae, "notes": foreign.notes}
    return JobOutcome(result=shown | {"parity": found.origin["parity"]})


def _place_of(foreign: ForeignSae, payload: dict[str, Any]) -> Place:
    """Layer, place that is read, place that is written: as asked for, else as the files say.

    Raises:
        SaeFormatError: Neither says it, or it writes a place that nothing here works on.
    """
    found = foreign.place
    transcodes = foreign.encoder_type == "transcoder"
    layer: int | None = found.layer if payload["layer"] is None else payload["layer"]
    reads: str | None = payload["hook_type"] or found.hook_type
    if reads is None and transcodes:
        reads = "mlp_input"
    if layer is None or reads is None:
        name = "layer" if layer is None else "hook_type"
        raise SaeFormatError(
            f"Its files do not say which {name.replace('_', ' ')} it reads. Import it again with "
            f"{name}."
        )
    if not transcodes:
        return layer, reads, reads
    writes = found.target_hook_type or "mlp"
    if (reads, writes) != ("mlp_input", "mlp"):
        raise SaeFormatError(
            f"It is a transcoder from {reads} to {writes}; only those from the MLP's input "
            "(mlp_input) to its output (mlp) can be used here."
        )
    return layer, reads, writes


def _hyperparameters(made: ImportedSae, foreign: ForeignSae) -> dict[str, Any]:
    """What of a training's settings is true of it; how it was trained is not known here."""
    found: dict[str, Any] = {"activation": made.activation, "d_sae": made.d_sae}
    if made.k is not None:
        found["k"] = made.k
    if made.encoder_type == "transcoder" and "W_skip_DD" in foreign.tensors:
        found["skip"] = True
    return found


def _with_parity(made: ImportedSae, rows: RealRows) -> dict[str, Any]:
    return made.origin | {"parity": made.origin["parity"] | {"measured_on": rows.source}}


def _real_rows(context: JobContext, plan: ComparePlan, place: Place) -> RealRows:
    if plan.activation_id is not None:
        store = ActivationStore.open(context.data_root / activation_dir(plan.activation_id))
        return rows_of_store(store, *place)
    loaded = load_language_model(context.data_root / model_dir(plan.model_id), device="cpu")
    texts = (document.text for document in PythonDocs().documents())
    return rows_of_text(loaded, texts, *place)


def _report(context: JobContext, progress: Progress) -> None:
    context.raise_if_stopped()
    megabytes = f"{progress.done / 1e6:,.0f} of {progress.total / 1e6:,.0f} MB"
    total = progress.total / DOWNLOAD_SHARE
    context.report(progress.done, total, f"Downloading: {megabytes}")
