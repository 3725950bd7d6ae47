"""From a prompt to the token ids that the model reads, and which of them are steered."""

from __future__ import annotations

from app.ml.activation_extraction.encoding import encode_batch
from app.ml.configs import SteeringConfig
from app.ml.errors import SteeringInvalid
from app.ml.language_models.loading import LoadedModel


def encode_prompt(loaded: LoadedModel, config: SteeringConfig) -> list[int]:
    """Tokenise a prompt as the dictionary's training text was: start token, then the text.

    With the chat template the prompt becomes a user's turn, followed by the opening of the
    model's; the template brings its own beginning, so none is put before it.

    Raises:
        SteeringInvalid: the model has no chat template.
    """
    if config.use_chat_template:
        if not loaded.tokenizer.chat_template:
            raise SteeringInvalid("This model has no chat template; turn use_chat_template off.")
        system = [{"role": "system", "content": config.system_prompt}]
        text = loaded.tokenizer.apply_chat_template(
            [*(system if config.system_prompt else []), {"role": "user", "content": config.prompt}],
            tokenize=False,
            add_generation_prompt=True,
        )
        return [int(i) for i in loaded.tokenizer(text, add_special_tokens=False)["input_ids"]]
    ids = [int(i) for i in encode_batch(loaded.tokenizer, [config.prompt])[0]]
    return ids if loaded.start_id is None else [loaded.start_id, *ids]


def check_length(loaded: LoadedModel, prompt_ids: list[int], config: SteeringConfig) -> None:
    """Refuse a prompt that leaves no room for the text.

    Raises:
        SteeringInvalid: prompt and text exceed what the model reads.
    """
    limit, wanted = loaded.card.max_positions, len(prompt_ids) + config.max_new_tokens
    if limit and wanted > limit:
        raise SteeringInvalid(
            f"Prompt ({len(prompt_ids)} tokens) and new text ({config.max_new_tokens}) exceed the "
            f"{limit} tokens that this model reads; shorten the prompt or generate at most "
            f"{max(limit - len(prompt_ids), 0)} tokens."
        )


class PositionRule:
    """Which positions are steered, by absolute position, token and part of the text."""

    def __init__(self, loaded: LoadedModel, config: SteeringConfig) -> None:
        self._config = config
        self._special = set(loaded.special_ids)
        self._positions = set(config.positions)
        self._tokens = set(config.token_ids)

    def prompt_mask(self, prompt_ids: list[int]) -> list[bool]:
        steers = self._config.steer_prompt
        return [steers and self._allows(place, i) for place, i in enumerate(prompt_ids)]

    def steers_generated(self, position: int, token_id: int) -> bool:
        return self._config.steer_generated and self._allows(position, token_id)

    def _allows(self, position: int, token_id: int) -> bool:
        if self._positions and position not in self._positions:
            return False
        if self._config.window and not self._config.window[0] <= position <= self._config.window[1]:
            return False
        if self._tokens and token_id not in self._tokens:
            return False
        return not self._config.exclude_special or (position > 0 and token_id not in self._special)


def end_token_ids(loaded: LoadedModel) -> set[int]:
    """Return the tokens that end a text: the model's own list and the tokenizer's."""
    settings = getattr(loaded.model, "generation_config", None)
    listed = getattr(settings, "eos_token_id", None)
    ids = set(listed) if isinstance(listed, list) else {listed}
    ids |= {loaded.tokenizer.eos_token_id, loaded.separator_id}
    return {int(i) for i in ids if i is not None}
