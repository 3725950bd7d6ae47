"""The quick question whether a migration is needed agrees with Alembic's answer."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from app.core.config import Settings
from app.core.release import newest_revision, revision_digests
from app.supervisor import ports
from app.supervisor.migrations import alembic_config
from app.supervisor.schema_version import is_up_to_date


def test_the_newest_revision_is_alembics_head() -> None:
    head = ScriptDirectory.from_config(alembic_config("postgresql://")).get_current_head()

    assert newest_revision() == head


@pytest.mark.fault(25)
def test_a_later_revision_is_the_newest_and_two_heads_leave_it_to_alembic(tmp_path: Path) -> None:
    write(tmp_path, "a1", None)
    write(tmp_path, "b2", "a1")
    assert newest_revision(tmp_path) == "b2"

    write(tmp_path, "c3", "a1")
    assert newest_revision(tmp_path) is None


def test_a_digest_knows_an_edit_and_not_how_lines_end(tmp_path: Path) -> None:
    write(tmp_path, "a1", None)
    file = tmp_path / "a1.py"
    before = revision_digests(tmp_path)
    assert list(before) == ["a1"]

    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert revision_digests(tmp_path) == before

    file.write_text(file.read_text() + "# edited")
    assert revision_digests(tmp_path) != before


def test_a_migrated_database_is_up_to_date_and_another_is_not(servers: Settings) -> None:
    url = str(servers.database_url)

    assert is_up_to_date(url)
    assert is_up_to_date(url.replace("postgresql://", "postgresql+psycopg2://"))
    assert not is_up_to_date(f"{url.removesuffix('/mistudio')}/postgres")
    assert not is_up_to_date(f"postgresql://nobody@{ports.LOOPBACK}:1/none")


def write(folder: Path, revision: str, follows: str | None) -> None:
    text = f'revision: str = "{revision}"\ndown_revision: str | None = {follows!r}\n'
    (folder / f"{revision}.py").write_text(text)
