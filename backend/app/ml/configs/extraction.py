"""Which activations are stored."""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs.settings import Config, Problem, setting

HOOK_TYPES = ("residual", "resid_mid", "mlp", "attention", "z", "mlp_input")
STORE_DTYPES = ("bfloat16", "float16", "float32", "int8")


@dataclass(frozen=True)
class ExtractionConfig(Config):
    """Several layers and hook types are read in one pass of the language model."""

    layers: tuple[int, ...] = setting(help="Blocks to read, counted from 0.", ge=0, le=1023)
    hook_types: tuple[str, ...] = setting(
        ("residual",),
        help="residual: stream after the block; resid_mid: between its attention and its MLP; "
        "mlp / attention: what they add to it; z: all attention heads before they are mixed; "
        "mlp_input: what the MLP reads.",
        choices=HOOK_TYPES,
    )
    max_tokens: int | None = setting(
        None,
        help="Read about this many tokens, spread evenly over the corpus; empty means all.",
        ge=1000,
        unit="tokens",
    )
    max_samples: int | None = setting(
        None, help="Read at most this many windows; empty means all.", ge=1, unit="windows"
    )
    batch_size: int = setting(16, help="Windows per forward pass.", ge=1, le=4096, unit="windows")
    dtype: str = setting(
        "bfloat16",
        help="Number format on disk; bfloat16 takes half the space of float32, int8 (codes with a "
        "scale for every 32 numbers) about a quarter, at an error of 3e-5 of the variance.",
        choices=STORE_DTYPES,
    )
    norm_limit: float | None = setting(
        10.0,
        help="Drop tokens whose activation norm exceeds this multiple of the median "
        "(attention sinks); empty keeps them.",
        ge=1.5,
        le=1000.0,
        unit="x median",
    )
    windows_per_shard: int = setting(
        512,
        help="Windows per file; an interrupted extraction resumes at the last full file.",
        ge=1,
        le=65536,
        unit="windows",
    )

    def combination_problems(self) -> list[Problem]:
        problems = []
        if not self.layers:
            problems.append(Problem("layers", "must name at least one layer", []))
        if not self.hook_types:
            problems.append(Problem("hook_types", "must name at least one hook type", []))
        for name in ("layers", "hook_types"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                problems.append(Problem(name, "names the same one twice", list(values)))
        return problems
