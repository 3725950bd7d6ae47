"""What a child process does between fork and exec: die with its parent, shed root's rights."""

import ctypes
import os
import pwd
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Prepare = Callable[[], None]

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CLONE_NEWUSER = 0x1000_0000
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x2008_0522
NOBODY = 65_534

# Everything that the supervisor starts carries the home in this variable, grandchildren too, so
# that what a kill -9 left behind can be told from programs that merely look alike.
STACK_MARK = "MISTUDIO_STACK"


# A socket's path may have 107 bytes, and multiprocessing puts up to 45 below the temporary folder.
_LONGEST_TEMPORARY = 60


# Nothing of ours uses them: a token is given with a download and goes to that job alone.
HUB_TOKENS = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN"})


def temporary_folder(home: Path) -> Path:
    """Where the stack's processes put what they need for themselves; emptied at each start."""
    return home / "run" / "tmp"


def marked_environment(home: Path) -> dict[str, str]:
    """This process's environment with the mark of the stack of a home.

    What a killed process leaves in its temporary folder then lies in the home and goes with the
    next start, where the home's name leaves room for it.
    """
    folder = temporary_folder(home)
    is_short = len(os.fsencode(folder)) <= _LONGEST_TEMPORARY
    own = {"TMPDIR": str(folder)} if is_short else {}
    kept = {name: value for name, value in os.environ.items() if name not in HUB_TOKENS}
    return kept | {STACK_MARK: str(home)} | own


def die_with_parent(death_signal: int = signal.SIGKILL, parent: int | None = None) -> Prepare:
    """Ask the kernel to signal the child when the thread that started it is gone.

    Without this a ``kill -9`` of the supervisor would leave workers and servers behind.

    Args:
        death_signal: What the child then gets.
        parent: Process id of the parent; the process that calls this by default.
    """
    parent = parent or os.getpid()

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before prctl took effect
            os._exit(1)

    return prepare


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Become the parent of descendants that lose theirs while the block runs.

    Not for longer: the supervisor would have to bury every stray grandchild.
    """
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def call_this_process(name: str) -> None:
    """The name that ``top`` shows; the kernel keeps 15 bytes of it."""
    _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def in_own_user_namespace() -> None:
    """Become "nobody" in a fresh user namespace; outside, files and signals stay root's.

    PostgreSQL refuses uid 0. Here the server sees uid 65534 while its files belong to root, so it
    also runs below a folder that only root can enter.

    Raises:
        OSError: the kernel or the container forbids user namespaces.
    """
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1", encoding="ascii")


def as_nobody() -> None:
    """Become the user "nobody", keeping only the right to pass through closed folders.

    That one capability (CAP_DAC_OVERRIDE) is kept because a root installation usually lies below
    ``/root``, which nobody else may enter. Where it cannot be kept, the change of user still
    happens and only an installation in an open folder works.
    """
    _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    # Without this bit access(2), which initdb asks about its neighbour, ignores capabilities.
    _libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    header = struct.pack("II", _CAPABILITY_VERSION_3, 0)
    mask = 1 << _CAP_DAC_OVERRIDE
    data = struct.pack("IIIIII", mask, mask, mask, 0, 0, 0)
    if _libc.capset(header, data) == 0:
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def choose_identity(probe: Path) -> tuple[Prepare | None, int]:
    """How to start a server that refuses root, and the uid that must own its files.

    Args:
        probe: A harmless program (it is run with ``--version``) to try the namespace with.
    """
    uid = os.geteuid()
    if uid != 0:
        return None, uid
    try:
        subprocess.run(
            [probe, "--version"],
            preexec_fn=in_own_user_namespace,
            check=True,
            capture_output=True,
            timeout=30,
        )
    except (subprocess.SubprocessError, OSError):
        pwd.getpwuid(NOBODY)  # KeyError says it better than the server's later message would
        return as_nobody, NOBODY
    return in_own_user_namespace, uid


def chain(*steps: Prepare | None) -> Prepare:
    """One ``preexec_fn`` of several steps, in the order given."""
    wanted = [step for step in steps if step is not None]

    def prepare() -> None:
        for step in wanted:
            step()

    return prepare
