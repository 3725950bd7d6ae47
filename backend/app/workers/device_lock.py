"""One exclusive file lock per device. The kernel frees it on any death of its holders."""

import fcntl
import os
from pathlib import Path
from types import TracebackType


class DeviceLock:
    """An flock on ``home/run/device-<name>.lock``.

    The open file is handed to the child, so the device stays taken while either of them lives.
    """

    def __init__(self, run_dir: Path, device: str) -> None:
        self.path = run_dir / f"device-{device.replace(':', '')}.lock"
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """File descriptor to pass to the child.

        Raises:
            RuntimeError: The lock is not held.
        """
        if self._descriptor is None:
            raise RuntimeError("the device lock is not held")
        return self._descriptor

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; never waits."""
        if self._descriptor is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "DeviceLock":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
