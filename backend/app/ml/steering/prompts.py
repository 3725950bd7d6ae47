"""From a prompt to the token ids that the model reads."""

from __future__ import annotations

from app.ml.activation_extraction.encoding import encode_batch
from app.ml.configs import SteeringConfig
from app.ml.errors import SteeringInvalid
from app.ml.language_models.loading import LoadedModel


def encode_prompt(loaded: LoadedModel, config: SteeringConfig) -> list[int]:
    """Tokenise a prompt as the dictionary's training text was: start token, then the text.

    With the chat template the prompt becomes a user's turn, followed by the opening of the
    model's; the template brings its own beginning.

    Raises:
        SteeringInvalid: the model has no chat template.
    """
    if config.use_chat_template:
        if not loaded.tokenizer.chat_template:
            raise SteeringInvalid("This model has no chat template; turn it off.")
        text = loaded.tokenizer.apply_chat_template(
            [{"role": "user", "content": config.prompt}],
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
            f"{limit} tokens that this model reads."
        )


def end_token_ids(loaded: LoadedModel) -> set[int]:
    """Return the tokens that end a text: the model's own list and the tokenizer's."""
    settings = getattr(loaded.model, "generation_config", None)
    listed = getattr(settings, "eos_token_id", None)
    ids = set(listed) if isinstance(listed, list) else {listed}
    ids |= {loaded.tokenizer.eos_token_id, loaded.separator_id}
    return {int(i) for i in ids if i is not None}
