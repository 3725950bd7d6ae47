"""Backup, wipe, restore by the scripts: the page shows the same, and a damaged file nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.supervisor.control import running_stack
from tests.fixtures import snapshot
from tests.fixtures.product import Product
from tests.fixtures.stack import Prepared, Stack, prepare

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
pytestmark = pytest.mark.slow


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "home")
    product.start()
    yield product
    product.stop()


def script(product: Product, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one as a person does, on the product's home."""
    names = {"DATABASE_URL", "REDIS_URL"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MISTUDIO_") and k not in names}
    environment = kept | {
        "MISTUDIO_HOME": str(product.settings.home),
        "MISTUDIO_PORT": "0",
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    command = [str(SCRIPTS / name), *arguments]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def shown(product: Product) -> dict[str, str]:
    """What the page is shown, by whoever runs on this home now."""
    state = running_stack(product.settings)
    assert state is not None
    return snapshot.take(str(state.url))


def fill(stack: Stack) -> None:
    """Something of everything: text, model, activations, dictionary, features, steering."""
    prepared = prepare(stack)
    body = prepared.training(training_steps=200, checkpoint_every=100)
    made = stack.post("/trainings", body | {"name": "kept"})
    stack.succeed(made)
    training_id = made["training_id"]
    found = {"training_id": training_id, "examples_per_feature": 5, "layout": "none"}
    stack.succeed(stack.post("/features/extract", found))
    steer(stack, prepared, training_id)


def steer(stack: Stack, prepared: Prepared, training_id: str) -> None:
    """A named feature, a saved run, a preset, a template."""
    best: dict[str, Any] = stack.get(
        f"/features?training_id={training_id}&sort_by=max_activation&limit=1"
    )[0]
    stack.call("PATCH", f"/features/{best['id']}", json={"name": "café, 'quoted'"})
    run = {"prompt": "Alice was", "features": [{"id": best["id"], "coefficient": 2.0}]}
    stack.post("/steering/generate", run | {"model_id": prepared.model_id, "max_new_tokens": 4})
    chosen = [{"feature_id": best["id"], "coefficient": -2.0, "method": "clamp"}]
    preset = {"training_id": training_id, "name": "Less of it", "features": chosen}
    stack.post("/steering/presets", preset | {"intervention_layer": 2, "temperature": 0.7})
    template = {"name": "mine", "layers": [0, 2], "hookTypes": ["mlp"], "top_k_examples": 7}
    stack.post("/templates/extraction", template)


def test_a_wiped_installation_comes_back_as_it_was(product: Product, tmp_path: Path) -> None:
    fill(product.stack)
    before = shown(product)
    assert len(before) > 50

    written = script(product, "backup.sh", str(tmp_path))
    assert written.returncode == 0, written.stdout + written.stderr
    [archive] = tmp_path.glob("mistudio-*.tar")
    product.stop()
    shutil.rmtree(product.settings.home)
    damaged = tmp_path / "damaged.tar"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)

    refused = script(product, "restore.sh", str(damaged))
    assert refused.returncode != 0
    assert "Nothing was changed" in refused.stdout + refused.stderr
    assert not list((product.settings.data_root / "models").glob("*"))
    assert running_stack(product.settings) is None

    restored = script(product, "restore.sh", str(archive))
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert shown(product) == before


def test_a_refused_restore_leaves_running_what_ran(product: Product, tmp_path: Path) -> None:
    docs = {"builtin": "python-docs", "name": "docs", "max_documents": 2}
    product.stack.succeed(product.stack.post("/datasets/import", docs))
    before = shown(product)
    assert script(product, "backup.sh", str(tmp_path)).returncode == 0
    [archive] = tmp_path.glob("mistudio-*.tar")
    refused = script(product, "restore.sh", str(archive))
    assert refused.returncode != 0, "something is there, and nobody said --replace"
    assert shown(product) == before
