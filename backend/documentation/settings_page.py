"""The page of settings: fields of the core's configurations, with default, range, meaning."""

import types
import typing
from typing import Any

from app.ml.configs.discovery import DiscoveryConfig
from app.ml.configs.extraction import ExtractionConfig
from app.ml.configs.scoring import ScoringConfig
from app.ml.configs.settings import Config, FieldSpec, field_specs
from app.ml.configs.steering import SteeringConfig
from app.ml.configs.sweep import SweepConfig
from app.ml.configs.tokenization import TokenizationConfig
from app.ml.configs.training import TrainingHyperparameters
from documentation.markdown import code, page, table

SECTIONS: dict[str, type[Config]] = {
    "Tokenisation": TokenizationConfig,
    "Extraction of activations": ExtractionConfig,
    "Training": TrainingHyperparameters,
    "Discovery of features": DiscoveryConfig,
    "Scores for steering": ScoringConfig,
    "Steering": SteeringConfig,
    "Sweeps of strengths": SweepConfig,
}
INTRODUCTION = """
One definition per setting: the page's forms, the API's validation and this list read the same one
(`backend/app/ml/configs`). An empty default is worked out by the rule that the text gives.
"""


def type_text(kind: Any) -> str:
    """Return a type in a reader's words: "whole number", "list of texts", …"""
    names = {int: "whole number", float: "number", str: "text", bool: "on or off"}
    if isinstance(kind, types.UnionType):
        kinds = [it for it in typing.get_args(kind) if it is not type(None)]
        return " or ".join(type_text(it) for it in kinds)
    if typing.get_origin(kind) is tuple:
        return f"list of {type_text(typing.get_args(kind)[0])}s"
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def number_text(number: float) -> str:
    return f"{int(number):,}" if float(number).is_integer() else f"{number:g}"


def range_text(spec: FieldSpec) -> str:
    if spec.choices:
        return ", ".join(str(it) for it in spec.choices)
    unit = f" {spec.unit}" if spec.unit else ""
    if spec.ge is not None and spec.le is not None:
        return f"{number_text(spec.ge)} to {number_text(spec.le)}{unit}"
    if spec.ge is not None:
        return f"from {number_text(spec.ge)}{unit}"
    return f"{type_text(spec.type)}{unit}"


def default_text(spec: FieldSpec) -> str:
    if spec.required:
        return "required"
    if isinstance(spec.default, bool):
        return "on" if spec.default else "off"
    if spec.default is None or spec.default in ((), ""):
        return "empty"
    if isinstance(spec.default, tuple):
        return ", ".join(str(it) for it in spec.default)
    return str(spec.default)


def settings_page() -> str:
    parts = []
    for title, config in SECTIONS.items():
        rows = [
            [code(it.name), default_text(it), range_text(it), it.help] for it in field_specs(config)
        ]
        parts += [f"## {title}", table(("setting", "default", "range", "meaning"), rows)]
    return page("Settings", INTRODUCTION, *parts)
