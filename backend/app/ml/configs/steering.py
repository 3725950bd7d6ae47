"""How a steered text is generated beside an unsteered one."""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs.settings import Config, Problem, setting

STEERING_METHODS = ("add", "clamp", "floor", "scale", "ablate", "project")
"""What is done with a latent ``a`` of decoder row ``w`` in the hidden state ``h``; always a delta.

add: ``h + c w``; clamp: ``h + (c - a) w``, so that the latent is ``c``; floor: clamp only where
``a < c``; scale: ``h + (c - 1) a w``; ablate: ``h - a w``; project: the part of ``h`` along ``w``
times ``c`` (0 removes it, 1 changes nothing), for several features jointly.
"""

STEERING_UNITS = ("max", "activation", "norm", "kl")
"""max: multiples of the feature's largest activation; activation: units of the latent; norm: share
of the hidden state's own norm at each position, along the direction; kl: nats that the strength
is calibrated to (its sign says which way)."""

UNITS_OF_METHOD: dict[str, tuple[str, ...]] = {
    "add": STEERING_UNITS,
    "clamp": ("max", "activation"),
    "floor": ("max", "activation"),
}
"""Methods that are not listed take a plain factor, or nothing, whatever the unit says."""

STEERING_MODES = ("delta", "reconstruction")
"""delta: what the dictionary does not describe of the state stays; reconstruction: the dictionary's
output, with the features changed, takes the state's place, and the rest is lost."""

READING_METHODS = frozenset({"clamp", "floor", "scale", "ablate"})
"""Methods that need the latent's own value, which exists only where the dictionary reads."""


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
    stop: tuple[str, ...] = setting((), help="Texts that end the generation; they are cut off.")
    steer_prompt: bool = setting(True, help="Steer the tokens of the prompt.")
    steer_generated: bool = setting(True, help="Steer the generated tokens.")
    positions: tuple[int, ...] = setting(
        (), help="Steer only at these absolute positions, the first being 0; empty means all.", ge=0
    )
    window: tuple[int, ...] = setting(
        (),
        help="Steer only from this absolute position to that one, both included; empty means all.",
        ge=0,
    )
    token_ids: tuple[int, ...] = setting(
        (), help="Steer only at tokens with these ids; empty means at all.", ge=0
    )
    exclude_special: bool = setting(
        True, help="Leave special tokens and the first position (attention sink) alone."
    )
    mode: str = setting(
        "delta",
        help="delta: only the change is added, the SAE's error stays; reconstruction: the SAE's "
        "output takes the place of the activations, and a third text shows what that alone does.",
        choices=STEERING_MODES,
    )
    use_chat_template: bool = setting(
        False, help="Wrap the prompt as a user's message in the model's chat format."
    )
    system_prompt: str = setting("", help="System message of the chat format; empty means none.")
    use_cache: bool = setting(True, help="Keep keys and values of earlier tokens (same result).")
    prefill_chunk: int = setting(
        512, help="Tokens of the prompt read at once (same result).", ge=1, unit="tokens"
    )

    def combination_problems(self) -> list[Problem]:
        if not self.prompt.strip():
            return [Problem("prompt", "is empty: type some text to continue", self.prompt)]
        if not (self.steer_prompt or self.steer_generated):
            return [Problem("steer_generated", "steer the prompt, the generated text or both")]
        if self.window and (len(self.window) != 2 or self.window[0] > self.window[1]):
            message = "takes a first and a last position, the last not before the first"
            return [Problem("window", message, list(self.window))]
        if self.system_prompt and not self.use_chat_template:
            return [Problem("system_prompt", "needs the chat template: turn use_chat_template on")]
        if not all(self.stop):
            return [Problem("stop", "must not hold an empty text")]
        return []
