"""Files by which a test steers the sample task."""

from pathlib import Path

import pytest


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return {"release": str(tmp_path / "release"), "trace": str(tmp_path / "trace")}
