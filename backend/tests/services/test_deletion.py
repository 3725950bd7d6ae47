import os
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.paths import dataset_dir, training_dir
from app.core.priority import NICENESS
from app.db.repositories.base import make_way
from app.db.session import use_psycopg2
from app.services import deletion
from tests.factories import make_example, make_feature, make_training


def test_folders_leave_at_once_and_a_second_attempt_changes_nothing(tmp_path: Path) -> None:
    root, job_id, dataset_id = Settings(home=tmp_path).data_root, uuid4(), uuid4()
    folder = root / dataset_dir(dataset_id)
    folder.mkdir(parents=True)
    (folder / "documents.jsonl").write_text("{}")
    paths = [*deletion.dataset_files(dataset_id), training_dir(uuid4())]
    trash = deletion.move_to_trash(root, job_id, paths)
    assert not folder.exists()
    assert [path.name for path in trash.rglob("*.jsonl")] == ["documents.jsonl"]
    assert deletion.move_to_trash(root, job_id, paths) == trash
    deletion.empty_trash(trash)
    deletion.empty_trash(trash)
    assert not trash.exists()


def test_deleting_a_training_may_take_its_time(session: Session) -> None:
    training = make_training(session)
    make_example(session, make_feature(session, training, 0), 0)
    assert session.scalar(text("SHOW statement_timeout")) == "2min"
    deletion.delete_training_row(session, training.id)
    assert session.scalar(text("SHOW statement_timeout")) == "0"
    assert session.scalar(text("SELECT count(*) FROM feature_activations")) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="Processes are looked at in /proc.")
def test_the_database_serves_the_page_before_a_deletion(servers: Settings) -> None:
    engine = create_engine(use_psycopg2(servers.require_database_url()))
    with Session(engine) as job, Session(engine) as page:
        make_way(job)
        pids = [session.scalar(text("SELECT pg_backend_pid()")) for session in (job, page)]
        niceness = [os.getpriority(os.PRIO_PROCESS, pid or 0) for pid in pids]
        try:
            os.setpriority(os.PRIO_PROCESS, pids[0] or 0, niceness[0])
        except PermissionError:
            pytest.skip("The server runs as another user, whose processes are not ours to change.")
        assert niceness == [max(NICENESS, niceness[1]), niceness[1]]
        assert niceness[1] < NICENESS
    engine.dispose()
