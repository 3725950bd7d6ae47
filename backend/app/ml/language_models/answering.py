"""Asking a model that was trained to answer: greedy, so the same question has the same answer."""

from __future__ import annotations

from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from app.ml.devices import coded_memory_errors
from app.ml.errors import ModelFormatError, Stopped
from app.ml.language_models.loading import LoadedModel
from app.ml.records import ShouldStop


class _StopWhenAsked(StoppingCriteria):
    def __init__(self, should_stop: ShouldStop) -> None:
        self._should_stop = should_stop

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        stop = self._should_stop()
        return torch.full((len(input_ids),), stop, device=input_ids.device)


def answer(
    loaded: LoadedModel,
    messages: list[dict[str, str]],
    max_new_tokens: int,
    should_stop: ShouldStop,
) -> str:
    """Continue a conversation by the model's turn.

    Args:
        loaded: Model with a chat template.
        messages: ``role`` and ``content`` of each turn, the last one a user's.
        max_new_tokens: Of the answer.
        should_stop: Asked at every token.

    Raises:
        ModelFormatError: The model has no chat template.
        Stopped: ``should_stop`` said so.
    """
    tokenizer = loaded.tokenizer
    if not tokenizer.chat_template:
        raise ModelFormatError("This model has no chat template, so it cannot be asked.")
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids_1S = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    limit = loaded.card.max_positions
    if limit and ids_1S.shape[1] + max_new_tokens > limit:
        # The end holds the question; of a small model's window the first texts give way.
        ids_1S = ids_1S[:, -(limit - max_new_tokens) :]
    ids_1S = ids_1S.to(loaded.device)
    with torch.inference_mode(), coded_memory_errors("writing labels"):
        found_1S = loaded.model.generate(
            input_ids=ids_1S,
            attention_mask=torch.ones_like(ids_1S),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id or 0,
            stopping_criteria=StoppingCriteriaList([_StopWhenAsked(should_stop)]),
        )
    if should_stop():
        raise Stopped("Writing labels was stopped.")
    written: str = tokenizer.decode(found_1S[0, ids_1S.shape[1] :], skip_special_tokens=True)
    return written
