"""kill -9 in the middle of a checkpoint: the one before it is whole and goes on to the same end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app.ml.sae_training import list_checkpoints, verify_checkpoint
from tests.ml.conftest import StoreOf
from tests.ml.test_training import gaussian_rows, run, settings

BACKEND = Path(__file__).parents[2]
# The second file of the second checkpoint is the last thing that the process begins to write.
KILLED_WHILE_SAVING = """
import os, signal, sys
from pathlib import Path
from app.ml.activation_extraction import ActivationStore
from app.ml.sae_training import checkpoint
from tests.ml.test_training import run, settings
real, calls = checkpoint.save_file, []
def save_file(tensors, path):
    calls.append(path)
    real(tensors, path)
    if len(calls) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
checkpoint.save_file = save_file
run(ActivationStore.open(Path(sys.argv[1])), Path(sys.argv[2]), settings(checkpoint_every=20))
"""


@pytest.mark.fault(3)
def test_the_checkpoint_before_it_goes_on_to_the_same_end(
    tmp_path: Path, store_of: StoreOf
) -> None:
    store, folder = store_of(gaussian_rows()), tmp_path / "killed"
    command = [sys.executable, "-c", KILLED_WHILE_SAVING, str(store.path), str(folder)]
    ended = subprocess.run(command, cwd=BACKEND, check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert [path.name for path in folder.glob(".step_40.tmp-*")] != []
    [whole] = list_checkpoints(folder)
    assert whole.step == 20
    verify_checkpoint(whole.path)

    again = run(store, folder, settings(checkpoint_every=20), resume_from=whole.path)
    undisturbed = run(store, tmp_path / "undisturbed", settings(checkpoint_every=20))

    assert list(folder.glob(".*")) == []
    ours, theirs = (
        load_file(outcome.checkpoint.path / "sae.safetensors") for outcome in (again, undisturbed)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
