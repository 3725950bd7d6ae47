"""SAELens as one of the versions that take turns, if a Python with it is given."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("saelens_worker.py")


class SAELensMissing(Exception):
    """The given Python cannot import sae-lens; the text says what it answered."""


def saelens_step(python: Path, options: dict[str, Any]) -> Callable[[], float]:
    """Start a worker and return a function that does one step and returns its seconds.

    Args:
        python: Interpreter of an environment with sae-lens 6.
        options: ``activation``, ``d_model``, ``latents``, ``k``, ``batch``, ``bias``,
            ``autocast``, ``threads``.

    Raises:
        SAELensMissing: The interpreter or the package is not there.
    """
    try:
        worker = subprocess.Popen(
            [python, WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError as error:
        raise SAELensMissing(f"{python} cannot be started: {error}") from error
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert worker.stderr is not None
    questions, answers = worker.stdin, worker.stdout

    def ask(line: str) -> str:
        questions.write(line + "\n")
        questions.flush()
        return answers.readline().strip()

    try:
        ready = ask(json.dumps(options)) == "ready"
    except BrokenPipeError:
        ready = False
    if not ready:
        raise SAELensMissing(worker.stderr.read().strip().splitlines()[-1])
    return lambda: float(ask("step"))


def say_missing(reason: str) -> None:
    print(
        f"\nSAELens is left out: {reason}\nPass --saelens PYTHON, the Python of an environment "
        "with sae-lens 6, to compare with it."
    )
