from pathlib import Path
from uuid import uuid4

from app.core.config import Settings
from app.core.paths import dataset_dir, training_dir
from app.services import deletion


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
