"""A trained small model, a small corpus, and stores made from them once per session."""

import ast
import sysconfig
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.activation_extraction import (
    ActivationStore,
    TokenStore,
    extract_activations,
    tokenize_documents,
)
from app.ml.activation_extraction.activation_store import FORMAT, INDEX_DTYPE
from app.ml.activation_extraction.npy_files import NpyWriter
from app.ml.configs import ExtractionConfig, TokenizationConfig, TrainingHyperparameters
from app.ml.files import file_sha256, write_json
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.sae_training import train

GLASS = Path(__file__).parent.parent / "data" / "glass-en"
MODULES = ("argparse", "ast", "calendar", "cmd", "csv", "difflib", "doctest", "fractions", "glob",
           "gettext", "heapq", "inspect", "locale", "optparse", "pdb", "pickle", "pprint",
           "random", "shutil", "smtplib", "statistics", "string", "subprocess", "tarfile",
           "tempfile", "textwrap", "threading", "timeit", "turtle", "typing", "uuid",
           "zipfile")  # fmt: skip


def ignore(_: object) -> None:
    """Take a report and do nothing."""


def never() -> bool:
    return False


def stdlib_documents() -> list[str]:
    """Read the documentation strings of a few standard modules, about 2000 characters each."""
    folder, documents = Path(sysconfig.get_paths()["stdlib"]), []
    for name in MODULES:
        file = folder / f"{name}.py"
        if not file.is_file():  # some became packages in later versions of Python
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
        found = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds)]
        text = "\n\n".join(text for text in found if text)
        documents += [text[start : start + 2000] for start in range(0, len(text), 2000)]
    return documents


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Other processes share the cores; two threads that wait for each other are slower."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def documents() -> list[str]:
    return stdlib_documents()


@pytest.fixture(scope="session")
def glass() -> LoadedModel:
    return load_language_model(GLASS, dtype="float32")


@pytest.fixture(scope="session")
def tokens(documents: list[str], tmp_path_factory: pytest.TempPathFactory) -> TokenStore:
    path = tmp_path_factory.mktemp("tokens") / "store"
    config = TokenizationConfig(max_length=64, heldout_percent=20, max_tokens=40_000)
    tokenize_documents(documents, GLASS, path, config, ignore, never)
    return TokenStore.open(path)


@pytest.fixture(scope="session")
def store(
    glass: LoadedModel, tokens: TokenStore, tmp_path_factory: pytest.TempPathFactory
) -> ActivationStore:
    path = tmp_path_factory.mktemp("activations") / "store"
    config = ExtractionConfig(
        layers=(1, 2), hook_types=("residual", "mlp"), windows_per_shard=200, dtype="float32"
    )
    extract_activations(glass, tokens, path, config, ignore, never)
    return ActivationStore.open(path)


@pytest.fixture(scope="session")
def sae_path(store: ActivationStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dictionary of 512 latents on the residual stream after block 2."""
    settings = TrainingHyperparameters(
        k=8, expansion_factor=4, training_steps=150, batch_size=512, learning_rate=2e-3,
        precision="float32",
    )  # fmt: skip
    outcome = train(
        store, 2, "residual", "sparse", settings, tmp_path_factory.mktemp("sae"),
        report=ignore, should_stop=lambda: None, on_checkpoint=ignore,
    )  # fmt: skip
    return outcome.checkpoint.path


StoreOf = Callable[..., ActivationStore]


@pytest.fixture
def store_of(tmp_path: Path) -> StoreOf:
    """Make a real store, on disk, from given rows, or from rows by hook type."""

    def make(
        rows: np.ndarray | dict[str, np.ndarray],
        *,
        n_train: int | None = None,
        name: str = "given",
    ) -> ActivationStore:
        path = tmp_path / name
        by_hook = rows if isinstance(rows, dict) else {"residual": rows}
        n_rows = len(next(iter(by_hook.values())))
        index = np.zeros(n_rows, dtype=INDEX_DTYPE)
        index["token"] = index["window"] = np.arange(n_rows)
        written = [path / "indices.npy"]
        written[0].parent.mkdir(parents=True)
        with NpyWriter(written[0], (), INDEX_DTYPE) as writer:
            writer.append(index)
        for hook, values in by_hook.items():
            written.append(path / f"L0_{hook}" / "shard_00000.npy")
            written[-1].parent.mkdir()
            with NpyWriter(written[-1], (values.shape[1],), np.float32) as writer:
                writer.append(values.astype(np.float32))
        files = [
            {"name": str(f.relative_to(path)), "size_bytes": f.stat().st_size,
             "sha256": file_sha256(f)}
            for f in written
        ]  # fmt: skip
        hooks = [
            {"layer": 0, "hook_type": hook, "d_model": values.shape[1]}
            for hook, values in by_hook.items()
        ]
        write_json(
            path / "metadata.json",
            {
                "format": FORMAT,
                "config": {"layers": [0], "hook_types": list(by_hook), "dtype": "float32"},
                "hooks": hooks,
                "shard_rows": [n_rows],
                "files": files,
                "n_tokens": n_rows,
                "n_train_tokens": n_rows if n_train is None else n_train,
            },
        )
        return ActivationStore.open(path)

    return make
