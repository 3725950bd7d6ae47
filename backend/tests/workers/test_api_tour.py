"""``scripts/api_tour.sh`` goes the whole way with curl: documentation that must stay true."""

import csv
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.fixtures.stack import Stack

TOUR = Path(__file__).parents[3] / "scripts" / "api_tour.sh"
# All that it may use besides Bash itself; in particular no jq.
PROGRAMS = ("bash", "env", "curl", "python3", "mktemp", "mkdir", "dirname", "sleep")
PARTS = ("corpus", "model", "Tokens", "Activations", "training", "Discovery", "Steer", "Take")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour is made of curl")
def test_the_tour_goes_the_whole_way(stack: Stack, tmp_path: Path) -> None:
    tools, out = tmp_path / "bin", tmp_path / "out"
    tools.mkdir()
    for name in PROGRAMS:
        (tools / name).symlink_to(shutil.which(name) or name)
    address = str(stack.client.base_url).removesuffix("/api/v1/")
    environment = {"PATH": str(tools), "HOME": os.environ["HOME"], "TMPDIR": str(tmp_path)}
    tour = subprocess.run(
        [str(TOUR), address, str(out)],
        env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert tour.returncode == 0, tour.stderr[-3000:]
    assert all(part in tour.stderr for part in PARTS)
    assert "found by the tour" in tour.stdout
    without, steered = (line for line in tour.stdout.splitlines() if line.startswith("with"))
    assert without.partition(":")[2].strip() != steered.partition(":")[2].strip()
    _check_what_came_out(out)


def _check_what_came_out(out: Path) -> None:
    dictionary = zipfile.ZipFile(out / "dictionary.zip").namelist()
    assert {Path(name).name for name in dictionary} >= {"cfg.json", "sae_weights.safetensors"}
    assert any(
        name.endswith(".parquet") for name in zipfile.ZipFile(out / "features.zip").namelist()
    )
    with (out / "features.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert "found by the tour" in {row["name"] for row in rows}
    compile((out / "repeat.py").read_text(), "repeat.py", "exec")


def test_a_refusal_ends_the_tour_with_its_sentence(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the tour is made of curl")
    command = [str(TOUR), "http://127.0.0.1:1", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert "127.0.0.1" in answer.stderr
