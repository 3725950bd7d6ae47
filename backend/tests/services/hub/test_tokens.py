import os
from pathlib import Path
from uuid import uuid4

from app.core.config import Settings
from app.services.hub import tokens


def test_a_token_is_private_and_stays_until_its_job_has_ended(tmp_path: Path) -> None:
    settings, job_id = Settings(home=tmp_path), uuid4()
    tokens.leave(settings, job_id, "s3cret")
    path = tmp_path / "run" / "secrets" / str(job_id)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert tokens.read(settings, job_id) == "s3cret"
    assert tokens.read(settings, job_id) == "s3cret"  # a killed worker's job starts again
    tokens.forget(settings, job_id)
    tokens.forget(settings, job_id)
    assert tokens.read(settings, job_id) is None
    assert not path.exists()


def test_held_tokens_are_listed_with_whether_their_job_must_exist(tmp_path: Path) -> None:
    settings, old, new = Settings(home=tmp_path), uuid4(), uuid4()
    assert tokens.list_held(settings) == {}, "there is no folder yet"
    tokens.leave(settings, old, "s3cret")
    os.utime(tmp_path / "run" / "secrets" / str(old), (0, 0))
    tokens.leave(settings, new, "other")
    assert tokens.list_held(settings) == {old: True, new: False}
