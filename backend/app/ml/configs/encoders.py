"""What the encoder types are and which places of a block they read and write."""

from __future__ import annotations

from app.ml.configs.settings import Problem

ENCODER_TYPES = ("sparse", "skip", "transcoder")
TRANSCODER_INPUT, TRANSCODER_TARGET = "mlp_input", "mlp"


def encoder_type_problems(encoder_type: str) -> list[Problem]:
    """Return why an encoder type cannot be trained, if so."""
    if encoder_type in ENCODER_TYPES:
        return []
    message = f"{encoder_type!r} does not exist; choose {', '.join(ENCODER_TYPES)}"
    return [Problem("encoder_type", message, encoder_type)]


def input_hook_type(encoder_type: str, wanted: str | None) -> str:
    """Return the place that is read: the wanted one, else the type's usual one."""
    return wanted or (TRANSCODER_INPUT if encoder_type == "transcoder" else "residual")


def target_hook_type(encoder_type: str, hook_type: str) -> str:
    """Return the place that is written: a transcoder's MLP output, else what is read."""
    return TRANSCODER_TARGET if encoder_type == "transcoder" else hook_type


def hook_type_problems(encoder_type: str, hook_type: str) -> list[Problem]:
    """Return why an encoder type cannot read a place, if so."""
    if encoder_type != "transcoder" or hook_type == TRANSCODER_INPUT:
        return []
    message = f"must be {TRANSCODER_INPUT}: a transcoder maps the MLP's input to its output"
    return [Problem("hook_type", message, hook_type)]
