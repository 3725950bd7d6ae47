"""Steered generation in the warm process, which keeps models and dictionaries between jobs."""

import hashlib
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID

import torch
import transformers
from safetensors.torch import save as save_tensors

from app.core.paths import model_dir, safe_join
from app.ml.configs import SteeringConfig
from app.ml.errors import Stopped
from app.ml.files import file_sha256
from app.ml.language_models import LoadedModel, load_language_model, resolve_hook_point
from app.ml.records import to_json
from app.ml.sae_training import load_sae
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from app.ml.sentence_embedding import find_sentence_embedder, load_sentence_embedder
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.conditions import Condition
from app.ml.steering.edits import written_hook_type
from app.ml.steering.latents import Latent
from app.ml.steering.prompts import end_token_ids
from app.ml.steering.records import TokenEvent
from app.schemas.events import (
    SteeringPromptToken,
    SteeringStarted,
    SteeringStartedData,
    SteeringToken,
    SteeringTokens,
    SteeringTokensData,
)
from app.services.steering_figures import steering_json
from app.services.steering_payload import UNIT_NAMES
from app.services.steering_runs import save_run
from app.workers.context import JobContext, JobInterrupted, JobOutcome
from app.workers.model_cache import ModelCache
from app.workers.tasks.reporting import should_stop


def handle(context: JobContext, cache: ModelCache) -> JobOutcome:
    """Generate both texts of one request; a cancelled one keeps what it has."""
    payload = context.payload
    config = SteeringConfig.from_dict(payload["config"])
    context.report(0, 0, "Loading the model")
    loaded = load_model(context, cache)
    edits = [make_edit(context, cache, edit) for edit in payload["edits"]]
    try:
        result = generate_comparison(
            loaded,
            edits,
            config,
            on_tokens=partial(_send, context, config.max_new_tokens),
            should_stop=should_stop(context),
            similarity_of=partial(similarity, cache),
            on_prompt=partial(_send_prompt, context),
            condition=make_condition(context, cache),
        )
    except Stopped:
        context.raise_if_stopped()
        raise
    answer = steering_json(payload, to_json(result), environment(context, loaded, config))
    _save(context, loaded, edits, answer)
    action = context.stop_requested()
    if result.stopped and action is not None:
        return JobOutcome(JobInterrupted(action).outcome().state, answer)
    return JobOutcome(result=answer)


def load_model(context: JobContext, cache: ModelCache) -> LoadedModel:
    model_id = UUID(context.payload["model_id"])
    folder = context.data_root / model_dir(model_id)
    load = partial(load_language_model, folder, device=context.settings.device)
    return cache.get(("model", model_id), load, context.payload["memory_bytes"])


def make_edit(context: JobContext, cache: ModelCache, edit: dict[str, Any]) -> FeatureEdit:
    """The core's edit of one feature; its dictionary stays loaded."""
    folder = safe_join(context.data_root, edit["sae_path"])
    return feature_edit(
        load_dictionary(cache, folder),
        edit["neuron_index"],
        edit["layer"],
        edit["hook_type"],
        edit["coefficient"],
        UNIT_NAMES[edit["unit"]],
        edit["max_activation"],
        method=edit["method"],
        only_active=edit["only_active"],
        target_hook_type=written_hook_type(folder),
        at_layer=edit["at_layer"],
        at_hook_type=edit.get("at_hook_type"),  # a run of before has none
    )


def make_condition(context: JobContext, cache: ModelCache) -> Condition | None:
    """The core's condition, if the job has one; its dictionary stays loaded."""
    asked = context.payload.get("condition")
    if asked is None:
        return None
    dictionary = load_dictionary(cache, safe_join(context.data_root, asked["sae_path"]))
    latent = Latent(dictionary, asked["neuron_index"], asked["layer"], asked["hook_type"])
    return Condition(latent, asked["threshold"])


def load_dictionary(cache: ModelCache, folder: Path) -> SparseAutoencoder:
    weights = folder / "sae.safetensors"
    size_bytes = weights.stat().st_size if weights.is_file() else 0
    return cache.get(("sae", folder), partial(load_sae, folder), size_bytes)


def environment(context: JobContext, loaded: LoadedModel, config: SteeringConfig) -> dict[str, str]:
    """What the text depends on besides the request."""
    payload = context.payload
    read = [*payload["edits"], *filter(None, [payload.get("condition")])]
    folders = {edit["sae_path"] for edit in read}
    hashes = [_sae_hash(str(context.data_root / folder)) for folder in sorted(folders)]
    kind = "greedy" if config.temperature == 0 else f"temperature {config.temperature:g}"
    return {
        "model": loaded.card.architecture,
        "dtype": str(loaded.dtype).removeprefix("torch."),
        "device": str(loaded.device),
        "torch": str(torch.__version__),
        "transformers": str(transformers.__version__),
        "weights": _model_hash(context.data_root / model_dir(UUID(payload["model_id"]))),
        "dictionaries": ", ".join(hashes),
        "sampler": f"{kind}, top-k {config.top_k}, top-p {config.top_p:g}, repetition penalty "
        f"{config.repetition_penalty:g}, one generator per text, seed {config.seed}",
    }


def _model_hash(folder: Path) -> str:
    """The start of a SHA-256 over all weight files; read again only when one of them changed."""
    files = [(p, p.stat()) for p in sorted(folder.glob("*.safetensors"))]
    return _hash_of(tuple((str(p), stat.st_size, stat.st_mtime_ns) for p, stat in files))


@lru_cache(maxsize=16)
def _hash_of(files: tuple[tuple[str, int, int], ...]) -> str:
    parts = [file_sha256(Path(name)) for name, _, _ in files]
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _sae_hash(folder: str) -> str:
    """The start of the weights' SHA-256; a checkpoint's files never change."""
    weights = Path(folder) / "sae.safetensors"
    return file_sha256(weights)[:16] if weights.is_file() else "gone"


def _save(
    context: JobContext, loaded: LoadedModel, edits: list[FeatureEdit], answer: dict[str, Any]
) -> None:
    """Keep the run with all that a replay or an export needs."""
    places = [resolve_hook_point(loaded.model, e.layer, e.hook_type) for e in edits]
    facts = {
        "family": loaded.card.family,
        "quantization": loaded.card.quantization,
        "special_ids": loaded.special_ids,
        "end_ids": sorted(end_token_ids(loaded)),
        "places": [
            {"module": p.module_name, "reads_input": p.reads_input, "in_place": p.is_carried}
            for p in places
        ],
    }
    rows = {f"direction.{n}": e.direction_D.contiguous() for n, e in enumerate(edits)}
    directions = save_tensors(rows)
    context.transaction(
        lambda session: save_run(
            session, context.job_id, context.payload, answer, facts, directions
        )
    )


def similarity(cache: ModelCache, first: str, second: str) -> float | None:
    folder = find_sentence_embedder()
    if folder is None or not first.strip() or not second.strip():
        return None
    size_bytes = (folder / "model.safetensors").stat().st_size
    embedder = cache.get(("embedder", folder), partial(load_sentence_embedder, folder), size_bytes)
    return embedder.similarity(first, second)


def _send_prompt(context: JobContext, ids: list[int], texts: list[str], mask: list[bool]) -> None:
    tokens = [
        SteeringPromptToken(token_id=i, text=text, steered=steered)
        for i, text, steered in zip(ids, texts, mask, strict=True)
    ]
    data = SteeringStartedData(job_id=context.job_id, prompt_tokens=tokens)
    context.publish(SteeringStarted(seq=context.next_seq(), data=data))


def _send(context: JobContext, max_new_tokens: int, events: list[TokenEvent]) -> None:
    tokens = [SteeringToken(**vars(event)) for event in events]
    data = SteeringTokensData(job_id=context.job_id, tokens=tokens)
    context.publish(SteeringTokens(seq=context.next_seq(), data=data))
    context.report(events[0].index + 1, max_new_tokens, "Generating", unit="tokens")
