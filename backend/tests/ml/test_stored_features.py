"""What stands in the database is what model and dictionary say."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import torch
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.paths import model_dir
from app.db.models import Feature, FeatureActivation, FeatureToken
from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.configs import DiscoveryConfig
from app.ml.feature_discovery import discover_features
from app.ml.feature_discovery.ablation import ablate_feature
from app.ml.feature_discovery.audit import AuditResult, audit_examples
from app.ml.feature_discovery.probe import auc, auc_interval, probe_text, score_sheet
from app.ml.language_models import LoadedModel
from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.records import ExampleRecord, to_json
from app.ml.sae_training import load_sae
from app.schemas.feature_probe import Ablation
from app.services.feature_records import replace_features
from app.workers.context import JobOutcome
from app.workers.model_cache import ModelCache
from app.workers.tasks import probing
from tests.factories import make_training
from tests.ml.conftest import GLASS, ignore, never

PLACE = (2, "residual")
CONFIG = DiscoveryConfig(
    coherence_features=0, examples_per_feature=5, layout="pca", max_tokens=15_000
)


def test_a_hundred_stored_contexts_are_recomputed(
    sae_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel,
    session: Session,
) -> None:  # fmt: skip
    training = make_training(session)
    with discover_features(sae_path, store, tokens, glass, *PLACE, CONFIG, ignore, never) as found:
        records = [to_json(record) for record in found.features]
        words = ((record.index, word) for record in found.features for word in record.words())
        loaded = replace_features(
            session, training.id, records, 2, {"n_tokens": 1}, words, found.encoded_contexts
        )
    kinds = select(FeatureToken.kind).where(FeatureToken.training_id == training.id)
    assert set(session.scalars(kinds)) == {"fires_on", "promotes"}
    features = session.scalars(select(Feature).where(Feature.training_id == training.id)).all()
    index_of = {row.id: row.neuron_index for row in features}
    maxima = {row.neuron_index: row.max_activation for row in features}
    rows = session.scalars(
        select(FeatureActivation).where(FeatureActivation.feature_id.in_(index_of))
    ).all()
    assert len(rows) == loaded > 5000
    chosen = np.random.default_rng(0).choice(len(rows), 100, replace=False)
    examples = [example_of_row(rows[i], index_of[rows[i].feature_id]) for i in chosen]
    assert {example.kind for example in examples} == {"top", "sample", "near_miss"}
    sae = load_sae(sae_path)
    audit = audit_examples(glass, sae, tokens, PLACE, examples, maxima, tolerance=1e-3)
    assert (audit.n_checked, audit.wrong) == (100, [])
    examples[0].activations[examples[0].position] += 1.0
    moved = ExampleRecord(**{**vars(examples[1]), "document": examples[1].document + 1})
    broken = audit_examples(glass, sae, tokens, PLACE, [examples[0], moved], maxima)
    assert len(broken.wrong) == 2


def test_a_latent_that_rounding_keeps_or_leaves_out_is_told_by_its_margin(
    sae_path: Path, tokens: TokenStore, glass: LoadedModel
) -> None:
    """Of two latents as good as equal one fires: its twin's zero is right to a hair, not wrong."""
    sae = load_sae(sae_path)
    point = resolve_hook_point(glass.model, *PLACE)
    window = torch.from_numpy(tokens.read_windows(np.array([0])))
    row = capture(glass, window, [point])[point][0, 5:6].float()
    values, latents = (found[0].tolist() for found in sae.encode_topk(row, k=(sae.k or 0) + 1))
    (last, kept), (first, out) = sorted(zip(values, latents, strict=True))[1::-1]
    margin = last - first
    assert margin > 0
    example = ExampleRecord(
        feature=out, kind="near_miss", rank=0, document=int(tokens.doc_numbers[0]), token_index=5,
        position=5, window_position=5, split="train", token_ids=tokens.tokens[:10].tolist(),
        tokens=[""] * 10, activations=[0.0] * 10, max_activation=0.0, text="", margin=-margin,
    )  # fmt: skip
    fires = replace(
        example, feature=kept, kind="sample", max_activation=last, margin=None,
        activations=[last if place == 5 else 0.0 for place in range(10)],
    )  # fmt: skip
    maxima = {out: 1.0, kept: last}

    def audit() -> AuditResult:
        return audit_examples(glass, sae, tokens, PLACE, [example, fires], maxima, tolerance=1e-4)

    assert audit().wrong == []
    # The dictionary prefers the other by a hair: both flip, by last = 1.5 or so, not by a hair.
    with torch.no_grad():
        sae.b_enc_F[out] += margin + 1e-5
    assert audit().largest_error < margin + 2e-5
    assert sae.encode(row)[0, [out, kept]].tolist() == [pytest.approx(last + 1e-5), 0]
    with torch.no_grad():
        sae.b_enc_F[out] += 1.0
    assert audit().largest_error > 0.5


def example_of_row(row: FeatureActivation, feature: int) -> ExampleRecord:
    return ExampleRecord(
        feature=feature, kind=row.kind, rank=row.rank, document=row.document,
        token_index=row.token_index, position=row.position, window_position=row.window_position,
        split="train" if row.split == "train" else "heldout", token_ids=row.token_ids,
        tokens=row.tokens, activations=list(row.activations), max_activation=row.max_activation,
        text=row.sample_text, octave=row.octave, margin=row.margin,
    )  # fmt: skip


def test_probing_a_text_gives_the_activations_of_its_tokens(
    sae_path: Path, glass: LoadedModel
) -> None:
    sae = load_sae(sae_path)
    probed = probe_text(glass, sae, PLACE, "Return the number of items.", top_k=5, features=[3])
    assert "".join(probed.tokens) == "Return the number of items."
    assert len(probed.firings) in {5, 6}
    strengths = [firing.max_activation for firing in probed.firings[:5]]
    assert strengths == sorted(strengths, reverse=True)
    for firing in probed.firings:
        assert len(firing.activations) == len(probed.tokens)
        assert firing.activations[firing.position] == pytest.approx(firing.max_activation, abs=1e-4)


def test_a_sheet_ranks_features_by_how_well_they_tell_lines_apart(
    sae_path: Path, glass: LoadedModel
) -> None:
    lines = [(f"the number {n} is a number", "number") for n in range(5)]
    lines += [(f"raise an error {n} of the file", "error") for n in range(4)]
    classes = score_sheet(glass, load_sae(sae_path), PLACE, lines, never, top_k=3, features=[0])
    assert [(c.expected, c.n_expected, c.n_other) for c in classes] == [
        ("error", 4, 5), ("number", 5, 4)
    ]  # fmt: skip
    scores = classes[1].scores
    assert scores[0].auc == 1
    assert 0.5 < scores[0].low < scores[0].high == 1
    assert scores[0].mean_expected > scores[0].mean_other


def test_auc_of_known_values() -> None:
    values = np.array([[3.0], [1.0], [2.0], [1.0]], np.float32)
    # Pairs: 3>2, 3>1 count 1; 1<2 counts 0; 1=1 counts a half.
    assert auc(values, np.array([True, True, False, False]))[0] == 2.5 / 4
    low, high = auc_interval(0.8, 20, 20)
    assert (low, high) == (pytest.approx(0.661, abs=0.01), pytest.approx(0.939, abs=0.01))


def test_ablation_takes_out_the_feature_and_nothing_else(
    sae_path: Path, store: ActivationStore, tokens: TokenStore, glass: LoadedModel
) -> None:
    sae = load_sae(sae_path)
    ids = tokens.tokens[:40].tolist()
    text = probe_text(glass, sae, PLACE, glass.tokenizer.decode(ids), top_k=1)
    feature = text.firings[0].feature
    both = ("residual", "residual")
    found = ablate_feature(glass, sae, 2, both, feature, [text.token_ids], never)
    [context] = found.contexts
    assert context.activations == pytest.approx(text.firings[0].activations, abs=1e-3)
    first = next(i for i, value in enumerate(context.activations) if value > 0)
    assert all(value == pytest.approx(0, abs=1e-5) for value in context.kl[:first])
    assert context.kl[first] > 0
    assert found.n_positions == sum(value > 0 for value in context.activations)
    assert found.mean_kl is not None
    assert found.mean_kl > 0
    assert context.loss_change[-1] is None
    assert found.promoted[0].logit > 0 > found.suppressed[0].logit
    silent = next(
        i for i in range(512)
        if not ablate_feature(glass, sae, 2, both, i, [text.token_ids], never).n_positions
    )  # fmt: skip
    nothing = ablate_feature(glass, sae, 2, both, silent, [text.token_ids], never)
    assert (nothing.mean_kl, nothing.promoted) == (None, [])
    assert max(nothing.contexts[0].kl) == pytest.approx(0, abs=1e-6)


def test_the_warm_process_answers_probes_and_ablations(
    sae_path: Path, tokens: TokenStore, tmp_path: Path
) -> None:
    model_id = uuid4()
    shutil.copytree(GLASS, tmp_path / model_dir(model_id))
    shutil.copytree(sae_path, tmp_path / "sae")
    place = {
        "model_id": str(model_id), "memory_bytes": 1, "sae_path": "sae", "layer": 2,
        "hook_type": "residual",
    }  # fmt: skip

    def ask(handler: Callable[..., JobOutcome], **payload: Any) -> dict[str, Any]:
        context: Any = SimpleNamespace(
            payload=place | payload, data_root=tmp_path, settings=SimpleNamespace(device="cpu"),
            stop_requested=lambda: None, raise_if_stopped=lambda: None,
        )  # fmt: skip
        result = handler(context, cache).result
        assert result is not None
        return json.loads(json.dumps(result))

    cache = ModelCache(10**9)
    shown: dict[str, Any] = {"top_k": 3, "features": []}
    text = ask(probing.probe, text="the number of items", lines=None, **shown)
    assert text["classes"] == []
    assert 3 == len(text["firings"]) <= text["n_firing"]
    lines = [{"text": "one number", "expected": "a"}, {"text": "an error", "expected": "b"}]
    sheet = ask(probing.probe, text=None, lines=lines, **shown)
    assert [entry["expected"] for entry in sheet["classes"]] == ["a", "b"]
    feature = text["firings"][0]["feature"]
    ablated = ask(probing.ablate, feature=feature, contexts=[text["token_ids"]])
    assert ablated["mean_kl"] > 0
    assert Ablation(feature_id=1, definition="", **ablated).n_positions > 0
