from pathlib import Path

import datasets
import huggingface_hub
import pytest

from tests.fixtures.hub import Hub, hub

__all__ = ["hub"]


@pytest.fixture(autouse=True)
def _use_local_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both libraries read the address once, at their import."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.url)
    monkeypatch.setattr(
        huggingface_hub.constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        hub.url + "/{repo_id}/resolve/{revision}/{filename}",
    )
    huggingface_hub.HfFileSystem.clear_instance_cache()
