"""Writes the examples of the OpenAPI document from a real run: ``make examples``.

One whole stack, the committed model, a part of Python's manuals; every operation once.
"""

import platform
import sys
import tempfile
from pathlib import Path

from app.api.openapi import examples
from app.main import create_app
from tests.examples.journey import Journey
from tests.examples.recorder import Recorder
from tests.fixtures.stack import GLASS_EN, Stack, whole_stack

EXAMPLES = Path(str(examples.FOLDER))
HOME_SHOWN = "/home/ada/.local/share/mistudio"


def main() -> int:
    """Record everything; the number of operations that are missing is the exit status."""
    with whole_stack() as stack, tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(create_app().openapi(), _places(stack, folder))
        recorder.attach(stack.client)
        try:
            Journey(stack, recorder, Path(folder)).walk()
        finally:
            recorder.write(EXAMPLES)
        missing = recorder.missing()
    print(f"{len(missing)} operations without an example {missing}")
    return len(missing)


def _places(stack: Stack, folder: str) -> dict[str, str]:
    return {
        str(stack.settings.home): HOME_SHOWN,
        str(GLASS_EN): "/home/ada/models/glass-en",
        folder: "/home/ada/dictionaries",
        sys.prefix: "/home/ada/mistudio/.venv",
        stack.hub.url: "https://huggingface.co",
        platform.platform(): "Linux-x86_64",
    }


if __name__ == "__main__":
    sys.exit(main())
