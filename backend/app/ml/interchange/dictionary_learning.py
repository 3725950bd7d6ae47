"""dictionary_learning folders: ``config.json`` and ``ae.pt``, a torch state dict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from app.ml.errors import SaeFormatError
from app.ml.interchange.foreign import (
    ForeignSae,
    HookPlace,
    Reference,
    in_double,
    keep_largest,
    positive_int,
    require,
)
from app.ml.interchange.guarded_files import read_config, read_pickle
from app.ml.interchange.hook_names import parse_module_name

CONFIG, WEIGHTS = "config.json", "ae.pt"
Shapes = dict[str, tuple[int | str, ...]]
LINEAR: Shapes = {"encoder.weight": ("F", "d"), "decoder.weight": ("d", "F")}
MATRICES: Shapes = {"W_enc": ("d", "F"), "W_dec": ("F", "d"), "b_enc": ("F",), "b_dec": ("d",)}
Values = dict[str, torch.Tensor]


@dataclass(frozen=True)
class _Class:
    """One of the library's classes: its tensors, what it becomes, whether it centres."""

    shapes: Shapes
    activation: str
    bias: str
    centres: bool = True
    encoder_bias: str | None = "encoder.bias"
    extra: dict[str, str] = field(default_factory=dict)


CLASSES: dict[str, _Class] = {
    "AutoEncoder": _Class(
        LINEAR | {"encoder.bias": ("F",), "bias": ("d",)}, "relu", "bias"
    ),
    "AutoEncoderNew": _Class(
        LINEAR | {"encoder.bias": ("F",), "decoder.bias": ("d",)}, "relu", "decoder.bias", False
    ),
    "AutoEncoderTopK": _Class(
        LINEAR | {"encoder.bias": ("F",), "b_dec": ("d",)}, "topk", "b_dec"
    ),
    "BatchTopKSAE": _Class(
        LINEAR | {"encoder.bias": ("F",), "b_dec": ("d",), "threshold": ()}, "jumprelu", "b_dec"
    ),
    "GatedAutoEncoder": _Class(
        LINEAR | {"decoder_bias": ("d",)}
        | dict.fromkeys(("r_mag", "gate_bias", "mag_bias"), ("F",)),
        "gated", "decoder_bias", True, "mag_bias", {"r_mag": "r_mag_F", "gate_bias": "b_gate_F"},
    ),
    "JumpReluAutoEncoder": _Class(
        MATRICES | {"threshold": ("F",)}, "jumprelu", "b_dec", False, "b_enc"
    ),
    "MatryoshkaBatchTopKSAE": _Class(
        MATRICES | {"threshold": ()}, "jumprelu", "b_dec", True, "b_enc"
    ),
}  # fmt: skip


def is_dictionary_learning(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file()


def read_dictionary_learning(folder: Path) -> ForeignSae:
    """Read a folder; latents come out in raw units, as the library folds its norm factor.

    Raises:
        SaeFormatError: another class, unfitting tensors, or a pickle of more than tensors.
    """
    config = read_config(folder / CONFIG)
    trainer = config.get("trainer")
    if not isinstance(trainer, dict):
        raise SaeFormatError('config.json has no "trainer", so the class is unknown.')
    kind = str(trainer.get("dict_class"))
    if kind not in CLASSES:
        raise SaeFormatError(
            f"The class {kind!r} cannot be imported; known are {', '.join(CLASSES)}."
        )
    source, known = read_pickle(folder / WEIGHTS), CLASSES[kind]
    sizes = require(source, known.shapes)
    activation, k, notes = known.activation, None, []
    threshold = source.get("threshold")
    if threshold is not None and threshold.ndim == 0 and threshold < 0:
        activation = "topk"
        notes.append("Its threshold was never set: the k largest latents of each token are kept.")
    if activation == "topk":
        given = int(source["k"]) if "k" in source else trainer.get("k")
        k = positive_int(given, "k", sizes["F"])
    layer, hook_type = parse_module_name(str(trainer.get("submodule_name")))
    if layer is None and isinstance(trainer.get("layer"), int):
        layer = trainer["layer"]
    return ForeignSae(
        source_format="dictionary_learning",
        kind=kind,
        tensors=_converted(source, known, activation, sizes["F"]),
        activation=activation,
        k=k,
        centres_input=known.centres,
        encoder_type="sparse",
        reference=_reference(kind, source, k),
        place=HookPlace(layer, hook_type),
        model_name=trainer.get("lm_name"),
        config=config,
        notes=notes,
    )


def _converted(source: Values, known: _Class, activation: str, n_latents: int) -> Values:
    linear = "encoder.weight" in known.shapes
    ours = {
        "W_enc_DF": source["encoder.weight"].T if linear else source["W_enc"],
        "W_dec_FD": source["decoder.weight"].T if linear else source["W_dec"],
        "b_enc_F": source[known.encoder_bias or "encoder.bias"],
        "b_dec_D": source[known.bias],
        **{ours: source[theirs] for theirs, ours in known.extra.items()},
    }
    if activation == "jumprelu":
        ours["threshold_F"] = source["threshold"].expand(n_latents).clamp_min(0)
    return {name: tensor.contiguous() for name, tensor in ours.items()}


def _reference(kind: str, source: Values, k: int | None) -> Reference:
    """The library's own ``encode`` and ``decode``, class by class."""
    t = in_double(source)
    linear = torch.nn.functional.linear

    def topk(x: torch.Tensor) -> torch.Tensor:
        post = torch.relu(linear(x - t["b_dec"], t["encoder.weight"], t["encoder.bias"]))
        return keep_largest(post, k or 1)

    def batch_topk(x: torch.Tensor) -> torch.Tensor:
        post = torch.relu(linear(x - t["b_dec"], t["encoder.weight"], t["encoder.bias"]))
        return keep_largest(post, k) if k is not None else post * (post > t["threshold"])

    def gated(x: torch.Tensor) -> torch.Tensor:
        x_enc = linear(x - t["decoder_bias"], t["encoder.weight"])
        gate = (x_enc + t["gate_bias"] > 0).double()
        return gate * torch.relu(t["r_mag"].exp() * x_enc + t["mag_bias"])

    def jumprelu(x: torch.Tensor) -> torch.Tensor:
        pre = x @ t["W_enc"] + t["b_enc"]
        return torch.relu(pre * (pre > t["threshold"]))

    def matryoshka(x: torch.Tensor) -> torch.Tensor:
        post = torch.relu((x - t["b_dec"]) @ t["W_enc"] + t["b_enc"])
        return keep_largest(post, k) if k is not None else post * (post > t["threshold"])

    encoders: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "AutoEncoder": lambda x: torch.relu(
            linear(x - t["bias"], t["encoder.weight"], t["encoder.bias"])
        ),
        "AutoEncoderNew": lambda x: torch.relu(
            linear(x, t["encoder.weight"], t["encoder.bias"])
        ),
        "AutoEncoderTopK": topk,
        "BatchTopKSAE": batch_topk,
        "GatedAutoEncoder": gated,
        "JumpReluAutoEncoder": jumprelu,
        "MatryoshkaBatchTopKSAE": matryoshka,
    }  # fmt: skip
    encode, bias = encoders[kind], t[CLASSES[kind].bias]

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        acts = encode(x)
        if "decoder.weight" in t:
            return acts, linear(acts, t["decoder.weight"], bias)
        return acts, acts @ t["W_dec"] + bias

    return run
