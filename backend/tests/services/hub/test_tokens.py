import os
from pathlib import Path
from uuid import uuid4

from app.core.config import Settings
from app.services.hub import tokens


def test_a_token_is_private_and_can_be_taken_once(tmp_path: Path) -> None:
    settings, job_id = Settings(home=tmp_path), uuid4()
    tokens.leave(settings, job_id, "s3cret")
    path = tmp_path / "run" / "secrets" / str(job_id)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert tokens.take(settings, job_id) == "s3cret"
    assert tokens.take(settings, job_id) is None
    assert not path.exists()


def test_a_forgotten_token_is_removed(tmp_path: Path) -> None:
    settings, old = Settings(home=tmp_path), uuid4()
    tokens.leave(settings, old, "s3cret")
    os.utime(tmp_path / "run" / "secrets" / str(old), (0, 0))
    tokens.leave(settings, uuid4(), "other")
    assert tokens.take(settings, old) is None
