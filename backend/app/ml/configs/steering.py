"""How a steered text is generated beside an unsteered one."""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs.settings import Config, Problem, setting

STEERING_UNITS = ("max", "activation", "norm")
"""max: multiples of the feature's largest activation; activation: units of the unit-norm decoder
direction; norm: share of the hidden state's own norm at each position."""


@dataclass(frozen=True)
class SteeringConfig(Config):
    """Both texts use the same sampler and the same seed, so differences come from steering."""

    prompt: str = setting(help="Text to continue.")
    max_new_tokens: int = setting(
        60, help="Tokens generated at most.", ge=1, le=2048, unit="tokens"
    )
    temperature: float = setting(
        0.7, help="Sampling temperature; 0 always takes the likeliest token.", ge=0.0, le=5.0
    )
    top_k: int = setting(0, help="Sample among the k likeliest tokens; 0 means all.", ge=0)
    top_p: float = setting(
        1.0, help="Sample among the likeliest tokens of this joint probability.", ge=0.01, le=1.0
    )
    repetition_penalty: float = setting(
        1.0, help="Divides the logits of tokens already there; 1 means none.", ge=1.0, le=5.0
    )
    seed: int = setting(0, help="Fixes the sampling of both texts.", ge=0, le=2**31 - 1)
    steer_prompt: bool = setting(True, help="Steer the tokens of the prompt.")
    steer_generated: bool = setting(True, help="Steer the generated tokens.")
    exclude_special: bool = setting(
        True, help="Leave special tokens and the first position (attention sink) alone."
    )
    use_chat_template: bool = setting(
        False, help="Wrap the prompt as a user's message in the model's chat format."
    )
    use_cache: bool = setting(True, help="Keep keys and values of earlier tokens (same result).")

    def combination_problems(self) -> list[Problem]:
        if not self.prompt.strip():
            return [Problem("prompt", "type some text to continue", self.prompt)]
        if not (self.steer_prompt or self.steer_generated):
            return [Problem("steer_generated", "steer the prompt, the generated text or both")]
        return []
