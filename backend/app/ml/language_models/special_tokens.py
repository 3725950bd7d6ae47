"""Which special tokens a tokenizer's text is framed with."""

from __future__ import annotations

from typing import Any

END_OF_TEXT = "<|endoftext|>"


def separator_token_id(tokenizer: Any) -> int | None:
    """Return the token that separates documents in pre-training text.

    ``<|endoftext|>`` when the vocabulary has it: a chat model's own end token closes a turn,
    not a document. Ids of 0 are valid, hence None and not falsehood for "there is none".
    """
    vocabulary = tokenizer.get_vocab()
    if END_OF_TEXT in vocabulary:
        return int(vocabulary[END_OF_TEXT])
    for candidate in (tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.sep_token_id):
        if candidate is not None:
            return int(candidate)
    return None


def start_token_id(tokenizer: Any) -> int | None:
    """Return what a model expects first: what its tokenizer adds, else the separator."""
    added = tokenizer("a")["input_ids"]
    if added and added[0] == tokenizer.bos_token_id:
        return int(added[0])
    return separator_token_id(tokenizer)


def special_token_ids(tokenizer: Any) -> list[int]:
    """Return the ids that stand for no text (beginning, end, padding, chat marks), sorted."""
    ids = {int(i) for i in tokenizer.all_special_ids}
    ids |= {i for i in (separator_token_id(tokenizer), start_token_id(tokenizer)) if i is not None}
    return sorted(ids)
