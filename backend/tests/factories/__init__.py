"""Rows in a given state; each factory flushes and returns what it made."""

from tests.factories.files import write_corpus_of, write_model_files
from tests.factories.rows import (
    make_activation,
    make_checkpoint,
    make_dataset,
    make_example,
    make_feature,
    make_job,
    make_metrics,
    make_model,
    make_token,
    make_tokenization,
    make_training,
)

__all__ = [
    "make_activation",
    "make_checkpoint",
    "make_dataset",
    "make_example",
    "make_feature",
    "make_job",
    "make_metrics",
    "make_model",
    "make_token",
    "make_tokenization",
    "make_training",
    "write_corpus_of",
    "write_model_files",
]
