"""Which latents have not fired for long, without asking a GPU at every step."""

from __future__ import annotations

import torch


class DeadLatents:
    """Args:
    window_tokens: A latent that did not fire for so many tokens counts as dead.
    batch_size: Tokens per step.
    """

    def __init__(self, window_tokens: int, batch_size: int) -> None:
        self._window, self._batch_size = window_tokens, batch_size
        self._none_before_step = 0

    def find(self, tokens_since_fired_F: torch.Tensor, step: int) -> torch.Tensor:
        """Return the numbers of the dead latents before a step, int64.

        An answer "none" also says how soon there can be one, because the counters grow by a
        batch per step at most; until then nothing is read, so a GPU is not waited for.
        """
        none = torch.empty(0, dtype=torch.int64, device=tokens_since_fired_F.device)
        if step < self._none_before_step:
            return none
        longest = int(tokens_since_fired_F.max())
        if longest >= self._window:
            return (tokens_since_fired_F >= self._window).nonzero().flatten()
        self._none_before_step = step - (longest - self._window) // self._batch_size
        return none
