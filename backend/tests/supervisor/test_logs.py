"""Log files stay bearable while a process goes on writing into them."""

from pathlib import Path

from app.supervisor.logs import rotate_logs
from app.supervisor.private_files import read_tail


def test_a_large_log_is_copied_and_its_writer_goes_on(tmp_path: Path) -> None:
    log, small = tmp_path / "api.log", tmp_path / "sweeper.log"
    small.write_text("short")
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        rotate_logs(tmp_path, largest_bytes=50)
        writer.write(b"after")

    assert log.read_text() == "after"
    assert (tmp_path / "api.log.1").read_text() == "x" * 100
    assert small.read_text() == "short"
    assert not (tmp_path / "sweeper.log.1").exists()


def test_the_tail_starts_where_it_is_told_to_and_is_short(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    assert read_tail(log) == ""

    log.write_text("earlier run\nthis run\n")

    assert read_tail(log, start=len("earlier run\n")) == "this run"
    assert read_tail(log, limit_bytes=5) == "run"
