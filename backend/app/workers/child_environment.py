"""The environment of processes that compute."""

import os

# What whoever started us may have set, and a computing process has no use for.
SECRETS = frozenset(
    {"MISTUDIO_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN"}
)


def compute_environment() -> dict[str, str]:
    """Without secrets; waiting threads sleep instead of spinning, unless the user chose otherwise.

    torch's threads spin at the end of every parallel loop. With other busy processes on the
    same two cores that cost a factor of 6 to 15 (52 against 832 small products in 6 s); alone on
    the machine sleeping costs nothing that could be measured.
    """
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return {"OMP_WAIT_POLICY": "passive", **kept}
