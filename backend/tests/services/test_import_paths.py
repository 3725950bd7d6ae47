from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.errors import ValidationFailed
from app.services.corpora.errors import PathNotReadable
from app.services.import_paths import check_links, resolve


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


@pytest.mark.fault(24)
def test_a_link_inside_a_folder_leads_nowhere_that_its_target_could_not_be_named(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.txt").touch()
    (settings.home / "token.txt").touch()
    folder = tmp_path / "corpora"
    folder.mkdir()
    (folder / "own.txt").touch()
    (folder / "linked.txt").symlink_to(tmp_path / "elsewhere.txt")
    check_links(settings, folder.iterdir())  # the hub's own cache is made of links
    limited = settings.model_copy(update={"allowed_import_roots": (folder,)})
    with pytest.raises(ValidationFailed, match="outside the folders"):
        check_links(limited, folder.iterdir())
    (folder / "linked.txt").unlink()
    check_links(limited, folder.iterdir())
    (folder / "token.txt").symlink_to(settings.home / "token.txt")
    with pytest.raises(ValidationFailed, match="own files"):
        check_links(settings, folder.iterdir())


@pytest.mark.parametrize("given", ["~nobody-of-this-name/x", "~nobody-of-this-name"])
def test_a_user_that_is_not_there(settings: Settings, given: str) -> None:
    with pytest.raises(ValidationFailed, match="no user 'nobody-of-this-name'"):
        resolve(settings, given)


def test_a_name_that_no_file_system_has_room_for(settings: Settings) -> None:
    with pytest.raises(PathNotReadable, match="File name too long"):
        resolve(settings, "/" + "long" * 1_250)


def test_allowed_roots_are_obeyed(tmp_path: Path) -> None:
    allowed = tmp_path / "corpora"
    allowed.mkdir()
    settings = Settings(home=tmp_path / "home", allowed_import_roots=(allowed,))
    assert resolve(settings, str(allowed / "a.txt")) == allowed / "a.txt"
    for given in (tmp_path / "a.txt", allowed / ".." / "a.txt"):
        with pytest.raises(ValidationFailed, match="outside the folders"):
            resolve(settings, str(given))
