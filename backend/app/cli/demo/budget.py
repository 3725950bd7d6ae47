"""How much the machine can do in the time: measured by a short extraction, never assumed."""

import time
from dataclasses import dataclass, field
from typing import Any

from app.cli.demo.api import Api
from app.cli.demo.display import running_step
from app.cli.demo.jobs import follow, unfinished
from app.cli.demo.options import WINDOW_TOKENS

# Long enough for a steady rate (1 s on a fast machine), short enough for a slow one.
PROBE_TOKENS = 6_000
FEWEST_TOKENS, MOST_TOKENS = 50_000, 3_000_000
# Of the time that is left, extraction takes this share; training reads each token several times.
_EXTRACTION_SHARE = 0.5
# Starting the processes of four jobs, held-out figures, discovery and steering.
_RESERVE_SECONDS = 165.0
_SHORTEST_TRAINING_SECONDS = 30.0
# For the held-out text, which the model reads clean and three times edited; an edited reading
# begins at the edit. The unembedding and the softmax cost about a third of all blocks.
_TEXT_SECONDS, _READINGS, _BLOCKS_SHARE = 45.0, 3.2, 0.75
FEWEST_WINDOWS, MOST_WINDOWS = 12, 48


@dataclass
class Budget:
    """Time from the start of the demo; ``minutes`` in all."""

    minutes: float
    began: float = field(default_factory=time.monotonic)

    def left_seconds(self) -> float:
        return self.minutes * 60 - (time.monotonic() - self.began)

    def extraction_tokens(self, tokens_per_second: float) -> int:
        """Tokens to read at the measured rate, rounded to thousands."""
        seconds = max(0.0, self.left_seconds() - _RESERVE_SECONDS) * _EXTRACTION_SHARE
        wanted = int(seconds * tokens_per_second) // 1000 * 1000
        return max(FEWEST_TOKENS, min(MOST_TOKENS, wanted))

    def evaluation_windows(self, tokens_per_second: float, share_of_blocks: float) -> int:
        """Held-out windows that the model can read in the time kept for it.

        Args:
            tokens_per_second: Of the extraction.
            share_of_blocks: Part of the model's blocks that the extraction ran through.
        """
        whole_model = tokens_per_second * share_of_blocks * _BLOCKS_SHARE
        windows = int(_TEXT_SECONDS * whole_model / (_READINGS * WINDOW_TOKENS))
        return max(FEWEST_WINDOWS, min(MOST_WINDOWS, windows))

    def training_seconds(self) -> float:
        """What is left for optimiser steps now."""
        return max(_SHORTEST_TRAINING_SECONDS, self.left_seconds() - _RESERVE_SECONDS * 0.7)


def probe_extraction(api: Api, order: dict[str, Any]) -> float:
    """Measure tokens per second of this model, layer and machine by a short extraction.

    Its store is deleted again; one left by an interrupted run is used and deleted.
    """
    with running_step("Measuring this machine") as step:
        probe = find_probe(api, order)
        if probe is None:
            accepted = api.post("/activations/extract", {**order, "max_tokens": PROBE_TOKENS})
            probe = api.get(f"/activations/{accepted['resource_id']}")
        job_id = unfinished(probe["job"])
        if job_id is not None:
            follow(api, job_id, step)
        probe = api.get(f"/activations/{probe['id']}")
        rate = float(probe["metadata"]["tokens_per_second"])
        api.delete(f"/activations/{probe['id']}")
        step.figures = f"{rate:,.0f} tokens/s through {order['layers'][0] + 1} layers"
    return rate


def is_probe(store: dict[str, Any]) -> bool:
    return bool(store["config"].get("max_tokens") == PROBE_TOKENS)


def find_probe(api: Api, order: dict[str, Any]) -> dict[str, Any] | None:
    """A probe's store that an interrupted run left."""
    for store in api.list("/activations"):
        same = all(store[key] == order[key] for key in ("model_id", "dataset_id", "layers"))
        if same and is_probe(store) and store["status"] != "error":
            return store
    return None
