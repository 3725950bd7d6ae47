"""The environment of processes that compute."""

import os
import sysconfig
from pathlib import Path

from app.core.config import Settings

# What whoever started us may have set, and a computing process has no use for.
SECRETS = frozenset(
    {"MISTUDIO_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN"}
)


def compute_environment(settings: Settings) -> dict[str, str]:
    """Without secrets; waiting threads sleep instead of spinning, unless the user chose otherwise.

    torch's threads spin at the end of every parallel loop. With other busy processes on the
    same two cores that cost a factor of 6 to 15 (52 against 832 small products in 6 s); alone on
    the machine sleeping costs nothing that could be measured.
    """
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return {"OMP_WAIT_POLICY": "passive"} | _compiled_code(settings.data_root / "cache") | kept


def _compiled_code(cache: Path) -> dict[str, str]:
    """Where compilers keep what they made: with the data, which is private and can be written.

    Left to themselves they write to the user's home, to /tmp and beside the package, which a
    container and a systemd unit keep read-only or do not execute from.
    """
    folders = {
        "TRITON_CACHE_DIR": str(cache / "compiled" / "triton"),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "compiled" / "inductor"),
    }
    # Beside the package one copy serves all homes.
    if not os.access(sysconfig.get_path("purelib"), os.W_OK):
        folders["NUMBA_CACHE_DIR"] = str(cache / "compiled" / "numba")
    return folders
