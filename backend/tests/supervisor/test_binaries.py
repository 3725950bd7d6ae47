"""Server programs: the wheels' first, then the system's, then a sentence that helps."""

from pathlib import Path

import pytest

from app.supervisor import binaries


@pytest.fixture
def bare_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH of one empty folder, and no wheels."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "_package_folder", lambda _name: None)
    monkeypatch.setattr(binaries, "_DEBIAN_FOLDER", tmp_path / "postgresql")
    return tmp_path


def make_program(path: Path) -> None:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_the_wheels_bring_both_servers() -> None:
    assert (binaries.find_postgres_bin() / "initdb").is_file()
    assert binaries.find_valkey_server().is_file()


def test_the_systems_servers_come_second(bare_system: Path) -> None:
    make_program(bare_system / "initdb")
    make_program(bare_system / "redis-server")

    assert binaries.find_postgres_bin() == bare_system.resolve()
    assert binaries.find_valkey_server() == bare_system / "redis-server"


def test_no_valkey_is_told_with_what_to_do(bare_system: Path) -> None:
    with pytest.raises(binaries.BinaryMissing, match=r"make setup.*REDIS_URL"):
        binaries.find_valkey_server()


def test_the_newest_of_debians_servers_is_taken(bare_system: Path) -> None:
    for version in ("14", "15"):
        folder = bare_system / "postgresql" / version / "bin"
        folder.mkdir(parents=True)
        make_program(folder / "initdb")

    assert binaries.find_postgres_bin() == bare_system / "postgresql" / "15" / "bin"


def test_no_postgres_is_told_with_what_to_do(bare_system: Path) -> None:
    with pytest.raises(binaries.BinaryMissing, match=r"make setup.*DATABASE_URL"):
        binaries.find_postgres_bin()


def test_a_package_that_is_not_installed_has_no_folder() -> None:
    assert binaries._package_folder("no_such_package_here") is None
