from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.errors import ValidationFailed
from app.services.import_paths import resolve


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    return Settings(home=home)


def test_links_are_followed(settings: Settings, tmp_path: Path) -> None:
    real = tmp_path / "real.txt"
    real.touch()
    (tmp_path / "link.txt").symlink_to(real)
    assert resolve(settings, f" {tmp_path}/link.txt ") == real.resolve()


@pytest.mark.fault(24)
@pytest.mark.parametrize("given", ["corpus.txt", "../corpus.txt", "", "/tmp/a\0b"])
def test_only_full_paths(settings: Settings, given: str) -> None:
    with pytest.raises(ValidationFailed, match="not a full path"):
        resolve(settings, given)


@pytest.mark.fault(24)
def test_the_products_own_files_are_no_source(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(settings.home)
    for given in (settings.home / "postgres", settings.home.parent, tmp_path / "link" / "run"):
        with pytest.raises(ValidationFailed, match="own files"):
            resolve(settings, str(given))


def test_allowed_roots_are_obeyed(tmp_path: Path) -> None:
    allowed = tmp_path / "corpora"
    allowed.mkdir()
    settings = Settings(home=tmp_path / "home", allowed_import_roots=(allowed,))
    assert resolve(settings, str(allowed / "a.txt")) == allowed / "a.txt"
    for given in (tmp_path / "a.txt", allowed / ".." / "a.txt"):
        with pytest.raises(ValidationFailed, match="outside the folders"):
            resolve(settings, str(given))
