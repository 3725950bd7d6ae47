"""Small parts of the job system, each by itself."""

import errno
import importlib
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery

from app.core.config import Settings
from app.core.enums import ErrorCode, JobAction, JobKind
from app.core.errors import NotReady
from app.ml import errors as ml_errors
from app.ml.configs import ConfigInvalid, Problem
from app.workers import identity, tasks
from app.workers.context import JobInterrupted, StopSignal
from app.workers.device_lock import DeviceLock
from app.workers.errors import failure_of, outcome_of
from app.workers.eta import RateEstimator
from app.workers.identity import ProcessIdentity, current_process
from app.workers.model_cache import ModelCache
from app.workers.outcome import Failure, Outcome, take_outcome, write_outcome
from app.workers.progress import with_rate
from app.workers.queues import QUEUE_OF_KIND, QUEUE_SLOTS, RUN_TASK


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_follows_the_recent_rate() -> None:
    clock = Clock()
    rate = RateEstimator(clock)
    assert rate.update(0, 1000) is None
    for second in range(1, 11):
        clock.now = second
        left = rate.update(10 * second, 1000)
    assert left == pytest.approx(90.0)
    for second in range(11, 61):  # three times as fast from here
        clock.now = second
        left = rate.update(100 + 30 * (second - 10), 5000)
    assert rate.per_second == pytest.approx(30.0, rel=0.05)
    assert left == pytest.approx((5000 - 1600) / 30, rel=0.05)


def test_time_left_starts_over_with_a_new_phase() -> None:
    clock = Clock()
    rate = RateEstimator(clock)
    for clock.now in (0, 5, 10):
        rate.update(clock.now, 100)
    assert rate.update(0, 7) is None
    assert rate.update(3, 0) is None
    assert rate.update(1, 10, rate=3.0) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("rate", "text"), [(12_345.4, "Step 3 · 12,345 tokens/s"), (0.03, "Step 3"), (None, "Step 3")]
)
def test_a_rate_is_shown_when_it_says_something(rate: float | None, text: str) -> None:
    assert with_rate("Step 3", rate, "tokens") == text


def test_a_process_is_recognised_and_its_death_seen() -> None:
    me = current_process()
    assert ProcessIdentity.parse(str(me)) == me
    assert me.can_be_checked()
    assert not me.is_provably_dead()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = identity._start_time(child.pid)
    assert started is not None
    other = ProcessIdentity(me.host, me.boot, me.namespace, child.pid, started)
    assert not other.is_provably_dead()
    child.kill()
    child.wait()
    assert other.is_provably_dead()


def test_what_cannot_be_seen_is_not_called_dead() -> None:
    me = current_process()
    elsewhere = ProcessIdentity("other-host", me.boot, me.namespace, 1, "0")
    container = ProcessIdentity(me.host, me.boot, "pid:[1]", 1, "0")
    for process in (elsewhere, container):
        assert not process.is_provably_dead()
        assert not process.can_be_checked()
    rebooted = ProcessIdentity(me.host, "another boot", me.namespace, me.pid, me.started)
    assert rebooted.is_provably_dead()
    reused = ProcessIdentity(me.host, me.boot, me.namespace, me.pid, "1")
    assert reused.is_provably_dead()
    assert ProcessIdentity.parse("something else") is None


def test_one_holder_per_device_until_it_dies(tmp_path: Path) -> None:
    first, second = DeviceLock(tmp_path, "cuda:0"), DeviceLock(tmp_path, "cuda:0")
    with first:
        assert first.try_acquire()
        assert first.try_acquire()
        assert not second.try_acquire()
        assert DeviceLock(tmp_path, "cpu").try_acquire()
        held = os.dup(first.descriptor)  # as a child holds it
    assert not second.try_acquire()
    os.close(held)
    assert second.try_acquire()
    with pytest.raises(RuntimeError):
        _ = first.descriptor


def test_outcomes_are_taken_once(tmp_path: Path) -> None:
    path = tmp_path / "jobs" / "a.json"
    failure = Failure(ErrorCode.DISK_FULL, "Full.", {"free": 1})
    for outcome in (
        Outcome("succeeded", {"n": 1}),
        Outcome("failed", failure=failure),
        Outcome("paused", by_shutdown=True),
    ):
        write_outcome(path, outcome)
        taken = take_outcome(path)
        assert taken == outcome
        if taken is not None and taken.failure is not None:
            # Whoever judges a failure asks which member of the enumeration it is.
            assert taken.failure.code is failure.code
        assert take_outcome(path) is None
    assert failure.as_error().code is ErrorCode.DISK_FULL
    assert not list(path.parent.iterdir())


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotReady("Not yet."), ErrorCode.NOT_READY),
        (MemoryError(), ErrorCode.OUT_OF_MEMORY),
        (OutOfMemoryError(), ErrorCode.GPU_OOM),
        (ml_errors.OutOfMemory("Too large."), ErrorCode.OUT_OF_MEMORY),
        (ml_errors.HookPointNotFound("No layer 9."), ErrorCode.HOOK_POINT_NOT_FOUND),
        (ml_errors.ModelFormatError("No config."), ErrorCode.MODEL_FORMAT_INVALID),
        (ml_errors.CorpusEmpty("No text."), ErrorCode.DATASET_EMPTY),
        (ml_errors.CheckpointMismatch("Other run."), ErrorCode.CHECKPOINT_INVALID),
        (ml_errors.NoEffect("Nothing steered."), ErrorCode.VALIDATION_ERROR),
        (OSError(errno.ENOSPC, "full"), ErrorCode.DISK_FULL),
        (OSError(errno.EACCES, "no"), ErrorCode.INTERNAL_ERROR),
        (ValueError("secret"), ErrorCode.INTERNAL_ERROR),
    ],
)
def test_errors_become_codes(error: Exception, code: ErrorCode) -> None:
    failure = failure_of(error)
    assert failure.code is code
    assert "secret" not in failure.message
    assert failure.message.endswith(".")
    assert outcome_of(error).state == "failed"


def test_every_error_of_the_core_has_a_code() -> None:
    """``Stopped`` is no failure: a task turns it into the request that was followed."""
    found = {
        cls: failure_of(cls("A sentence."))
        for cls in vars(ml_errors).values()
        if isinstance(cls, type) and issubclass(cls, ml_errors.MlError)
    }
    uncoded = {cls for cls, failure in found.items() if failure.code is ErrorCode.INTERNAL_ERROR}
    assert uncoded == {ml_errors.MlError, ml_errors.Stopped}
    assert len(found) >= 16
    invalid = failure_of(ConfigInvalid([Problem("k", "must not exceed the 16 latents", 17)]))
    assert (invalid.code, invalid.message) == (
        ErrorCode.VALIDATION_ERROR,
        "k: must not exceed the 16 latents",
    )


def test_the_cache_drops_what_was_used_longest_ago() -> None:
    cache = ModelCache(max_bytes=10)
    loads: list[str] = []

    def load(name: str, size: int) -> str:
        return cache.get(name, lambda: loads.append(name) or name, size)

    for name, size in (("a", 4), ("b", 4), ("a", 4), ("c", 4)):
        assert load(name, size) == name
    assert (loads, cache.held_bytes) == (["a", "b", "c"], 8)
    load("a", 4)
    load("b", 4)
    assert loads == ["a", "b", "c", "b"]
    load("huge", 99)
    assert cache.held_bytes == 99
    cache.discard("huge")
    cache.clear()
    assert cache.held_bytes == 0


def test_stronger_requests_win() -> None:
    stop = StopSignal()
    assert not stop.wait(0)
    stop.set(JobAction.PAUSE, by_shutdown=True)
    assert (stop.action, stop.by_shutdown) == (JobAction.PAUSE, True)
    stop.set(JobAction.CANCEL)
    stop.set(JobAction.STOP)
    assert (stop.action, stop.by_shutdown) == (JobAction.CANCEL, False)
    assert stop.wait(0)
    assert JobInterrupted(JobAction.STOP).outcome().state == "stopped"


def test_every_kind_has_a_queue_and_a_task_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(QUEUE_OF_KIND) == set(JobKind)
    assert set(QUEUE_OF_KIND.values()) == set(QUEUE_SLOTS)
    assert set(tasks.TASKS) | set(tasks.WARM_TASKS) == set(JobKind)
    for reference in (*tasks.TASKS.values(), *tasks.WARM_TASKS.values()):
        assert callable(tasks.load(reference))


def test_celery_settings_that_matter(settings: Settings) -> None:
    # Imported here: the application reads the broker's address when it is imported.
    celery_app = importlib.import_module("app.workers.celery_app").app
    assert isinstance(celery_app, Celery)
    ours = [name for name in celery_app.tasks if not name.startswith("celery.")]
    assert ours == [RUN_TASK]
    conf = celery_app.conf
    assert conf.task_acks_late is False
    assert conf.task_reject_on_worker_lost is False
    assert conf.worker_prefetch_multiplier == 1
    assert conf.worker_disable_prefetch is True
    assert conf.accept_content == ["json"]
    assert conf.result_backend is None
    assert conf.broker_connection_max_retries is None


def test_a_child_whose_parent_is_gone_leaves_at_once(settings: Settings) -> None:
    command = [sys.executable, "-m", "app.workers.child", str(uuid4()), "1", "1"]
    backend = Path(__file__).parents[2]
    assert subprocess.run(command, cwd=backend, stdin=subprocess.DEVNULL).returncode == 3


def test_a_child_of_an_unknown_job_leaves(settings: Settings) -> None:
    code = "import uuid; from app.workers.child import main; main([str(uuid.uuid4()), '1'])"
    backend = Path(__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", code], cwd=backend, stdin=subprocess.DEVNULL)
    assert answer.returncode == 3


def test_a_job_makes_way_for_whoever_waits_at_the_page() -> None:
    code = (
        "import os; from app.core.priority import make_way; make_way(); make_way(); "
        "print(os.nice(0), open('/proc/self/autogroup').read())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        start_new_session=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    niceness, *group = answer.stdout.split(maxsplit=1)
    assert int(niceness) == max(10, os.nice(0))
    assert not group or "autogroup" not in group[0] or group[0].strip().endswith("nice 10")
