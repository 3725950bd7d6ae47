"""SAEDashboard on the same dictionary, model and tokens, if a Python with it is given."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import torch

from app.ml.activation_extraction import TokenStore
from app.ml.interchange.saelens_export import SaelensExport
from app.ml.language_models import LoadedModel, capture, resolve_hook_point

WORKER = Path(__file__).with_name("dashboard_worker.py")
FEATURES_AT_ONCE = 128
"""What the Neuronpedia runner takes."""


class DashboardMissing(Exception):
    """There is no measurement; the text says why."""


def time_dashboard(
    python: Path | None, model: Path, loaded: LoadedModel, layer: int, tokens: TokenStore,
    sae_path: Path, scratch: Path,
) -> dict[str, tuple[float, float]]:  # fmt: skip
    """Return the seconds of two batches of features: with the model's pass, and from its cache.

    By the clock ("seconds"), and of the processor, which other programs do not change as much.

    Raises:
        DashboardMissing: No such Python, no such package, or it failed.
    """
    if python is None:
        raise DashboardMissing("no environment was given")
    scratch.mkdir()
    windows = tokens.read_windows(np.arange(tokens.n_windows))
    point = resolve_hook_point(loaded.model, layer, "residual")
    states = capture(loaded, torch.from_numpy(windows[:1]), [point])[point][0]
    np.save(scratch / "windows.npy", windows)
    np.save(scratch / "states.npy", states.float().numpy())
    (scratch / "sae").mkdir()
    SaelensExport(sae_path, {}).write(scratch / "sae")
    options = {
        "model": str(model.resolve()), "sae": str(scratch / "sae"), "layer": layer,
        "windows": str(scratch / "windows.npy"), "states": str(scratch / "states.npy"),
        "features": FEATURES_AT_ONCE, "cache": str(scratch / "cache"),
        "threads": torch.get_num_threads(),
    }  # fmt: skip
    try:
        done = subprocess.run(
            [python, WORKER], input=json.dumps(options) + "\n", text=True, capture_output=True,
            check=False,
        )  # fmt: skip
    except OSError as error:
        raise DashboardMissing(f"{python} cannot be started: {error}") from error
    if done.returncode:
        raise DashboardMissing(done.stderr.strip().splitlines()[-1])
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise DashboardMissing(answer["error"])
    return {name: tuple(answer[name]) for name in ("seconds", "processor")}


def say_missing(reason: str) -> None:
    print(
        f"\nSAEDashboard is left out: {reason}\nPass --dashboard PYTHON, the Python of an "
        "environment with sae-dashboard 0.8, to compare with it."
    )
