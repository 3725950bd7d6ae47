"""What training is for, on data whose truth is known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.ml.activation_extraction import (
    ActivationStore,
    TokenStore,
    extract_activations,
    tokenize_documents,
)
from app.ml.configs import ExtractionConfig, TokenizationConfig, TrainingHyperparameters
from app.ml.language_models import LoadedModel
from app.ml.sae_training import SparseAutoencoder, evaluate_sae, load_sae, train
from app.ml.sae_training.batches import ShuffledBatches
from tests.ml.conftest import GLASS, StoreOf, ignore, never

N, D, TRUE, ACTIVE = 20_000, 24, 32, 3
RECIPE: dict[str, Any] = {
    "d_sae": 48, "k": ACTIVE, "batch_size": 256, "training_steps": 400, "learning_rate": 1e-2,
    "dead_window_tokens": 10_000, "precision": "float32", "l1_coefficient": 0.1,
}  # fmt: skip


def unit_rows(random: np.random.Generator, n: int, d: int) -> np.ndarray:
    rows = random.normal(size=(n, d))
    unit: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def sparse_sums() -> tuple[np.ndarray, np.ndarray]:
    """Sums of 3 of 32 known directions, and the directions."""
    random = np.random.default_rng(0)
    truth = unit_rows(random, TRUE, D)
    active = np.argsort(random.random((N, TRUE)), axis=1)[:, :ACTIVE]
    amounts = random.uniform(1, 2, size=(N, ACTIVE))
    return np.einsum("nk,nkd->nd", amounts, truth[active]), truth


def trained(
    store: ActivationStore,
    path: Path,
    hook_type: str,
    encoder_type: str,
    layer: int = 0,
    **values: Any,
) -> SparseAutoencoder:
    config = TrainingHyperparameters.from_dict({**RECIPE, **values})
    outcome = train(
        store, layer, hook_type, encoder_type, config, path, report=ignore,
        should_stop=lambda: None, on_checkpoint=ignore,
    )  # fmt: skip
    return load_sae(outcome.checkpoint.path)


def mean_max_cosine(truth: np.ndarray, found: torch.Tensor) -> float:
    unit = torch.nn.functional.normalize(found, dim=1).numpy()
    return float((truth @ unit.T).max(axis=1).mean())


def explained(output: torch.Tensor, target: torch.Tensor) -> float:
    spread = (target - target.mean(0)).square().sum()
    return 1 - ((output - target).square().sum() / spread).item()


@pytest.mark.parametrize("activation", ["topk", "batchtopk", "jumprelu", "gated", "relu"])
def test_a_known_dictionary_is_recovered(
    tmp_path: Path, store_of: StoreOf, activation: str
) -> None:
    rows, truth = sparse_sums()
    sae = trained(store_of(rows), tmp_path / "c", "residual", "sparse", activation=activation)
    assert mean_max_cosine(truth, sae.W_dec_FD) >= 0.95
    l0 = (sae.encode(torch.from_numpy(rows).float()) > 0).sum(1).float().mean()
    assert l0 == pytest.approx(ACTIVE, rel=0.1 if sae.activation == "jumprelu" else 0.6)


def test_matryoshka_learns_what_is_frequent_first(tmp_path: Path, store_of: StoreOf) -> None:
    """The first 4 latents alone must explain more than 4 of a plain dictionary can."""
    rows, truth = sparse_sums()
    frequent = np.random.default_rng(1).random((N, 4)) < 0.5
    rows = rows + 2 * frequent @ truth[:4]
    x = torch.from_numpy(rows).float()

    def by_first(**values: Any) -> float:
        path = tmp_path / f"c{len(values)}"
        store = store_of(rows, name=f"s{len(values)}")
        sae = trained(store, path, "residual", "sparse", activation="batchtopk", k=5, **values)
        latents = sae.encode(x)
        latents[:, 4:] = 0
        return explained(sae.decode(latents), x)

    assert by_first(matryoshka_sizes=[4]) > by_first() + 0.2


def test_a_transcoder_recovers_a_sparse_mlp_and_an_autoencoder_does_not(
    tmp_path: Path, store_of: StoreOf
) -> None:
    """The input is dense noise: only its image under the MLP is made of few directions."""
    random = np.random.default_rng(0)
    reads, writes = unit_rows(random, 20, 16), unit_rows(random, 20, 16)
    x = random.normal(size=(N, 16))
    y = np.maximum(x @ reads.T - 1.2, 0) @ writes
    store = store_of({"mlp_input": x, "mlp": y})
    values = {"activation": "batchtopk", "k": 2, "d_sae": 32, "training_steps": 600}
    transcoder = trained(store, tmp_path / "t", "mlp_input", "transcoder", **values)
    autoencoder = trained(store, tmp_path / "a", "mlp_input", "sparse", **values)
    assert mean_max_cosine(reads, transcoder.W_enc_DF.T) >= 0.95
    assert mean_max_cosine(writes, transcoder.W_dec_FD) >= 0.95
    assert mean_max_cosine(reads, autoencoder.W_enc_DF.T) < 0.8
    inputs, targets = torch.from_numpy(x).float(), torch.from_numpy(y).float()
    assert explained(transcoder(inputs), targets) > 0.9


def test_a_skip_transcoder_leaves_the_latents_what_is_not_linear(
    tmp_path: Path, store_of: StoreOf
) -> None:
    random = np.random.default_rng(0)
    reads, writes = unit_rows(random, 20, 16), unit_rows(random, 20, 16)
    linear = random.normal(size=(16, 16)) / 2
    x = random.normal(size=(N, 16))
    y = np.maximum(x @ reads.T - 1.2, 0) @ writes + x @ linear
    store = store_of({"mlp_input": x, "mlp": y})
    values = {"activation": "batchtopk", "k": 2, "d_sae": 32, "training_steps": 600}
    plain = trained(store, tmp_path / "p", "mlp_input", "transcoder", **values)
    skipping = trained(store, tmp_path / "s", "mlp_input", "transcoder", skip=True, **values)
    inputs, targets = torch.from_numpy(x).float(), torch.from_numpy(y).float()
    assert explained(skipping(inputs), targets) > max(0.9, explained(plain(inputs), targets) + 0.1)
    assert mean_max_cosine(writes, skipping.W_dec_FD) >= 0.9


@pytest.mark.parametrize("activation", ["relu", "topk"])
def test_a_skip_autoencoders_latents_do_not_collapse(
    tmp_path: Path, store_of: StoreOf, activation: str
) -> None:
    """The L1 penalty would silence every latent if the path could copy the input."""
    rows, truth = sparse_sums()
    sae = trained(store_of(rows), tmp_path / "c", "residual", "skip", activation=activation)
    x = torch.from_numpy(rows).float()
    latents = sae.encode(x)
    assert (latents > 0).sum(1).float().mean() > 1
    by_path_alone = explained(sae.decode(torch.zeros_like(latents), x), x)
    assert explained(sae.decode(latents, x), x) > by_path_alone + 0.5
    assert mean_max_cosine(truth, sae.W_dec_FD) >= 0.9
    assert sae.W_skip_DD is not None
    assert int(torch.linalg.matrix_rank(sae.W_skip_DD)) == 1  # 24 // 16
    assert sae.W_skip_DD.norm() > 0.05


def test_batchtopk_keeps_k_on_held_out_tokens(tmp_path: Path, store: ActivationStore) -> None:
    """The learned threshold takes k's place: mean L0 within 10 % of it on other documents."""
    path = tmp_path / "c"
    trained(
        store, path, "residual", "sparse", layer=2, activation="batchtopk", k=8, d_sae=512,
        training_steps=200, batch_size=512, learning_rate=2e-3,
    )  # fmt: skip
    checkpoint = next(path.glob("step_*"))
    found = evaluate_sae(checkpoint, store, None, None, 2, "residual", ignore, never)
    assert found.n_tokens > 5000
    assert found.l0 == pytest.approx(8, rel=0.1)


def test_tokens_of_one_document_are_spread_over_the_batches(
    tmp_path: Path, glass: LoadedModel, documents: list[str]
) -> None:
    """Share of pairs within a batch that come from one document, on a real extraction.

    Shuffled tokens meet as often as in the whole store; sequences in order would meet 100 times
    more often.
    """
    short = [text[start : start + 250] for text in documents for start in range(0, 2000, 250)]
    config = TokenizationConfig(max_length=64, heldout_percent=10, max_tokens=15_000)
    tokenize_documents(short, GLASS, tmp_path / "t", config, ignore, never)
    tokens = TokenStore.open(tmp_path / "t")
    layer = ExtractionConfig(layers=(0,))
    extract_activations(glass, tokens, tmp_path / "a", layer, ignore, never)
    store = ActivationStore.open(tmp_path / "a")
    n = store.n_train_rows
    of_row = np.searchsorted(tokens.doc_offsets, store.indices["token"][:n], side="right")
    batches = ShuffledBatches(store.rows(0, "residual"), n, 1024, seed=0)
    shares = [same_share(of_row[batches.row_numbers(step)]) for step in range(20)]
    assert max(shares) < 0.01
    assert np.mean(shares) == pytest.approx(same_share(of_row), rel=0.1)
    assert same_share(of_row[:1024]) > 0.05


def same_share(documents: np.ndarray) -> float:
    counts = np.unique(documents, return_counts=True)[1].astype(float)
    return float((counts * (counts - 1)).sum() / (len(documents) * (len(documents) - 1)))
