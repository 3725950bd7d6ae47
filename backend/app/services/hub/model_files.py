"""Downloading the files of a language model: safetensors, JSON and tokenizer files only."""

import fnmatch
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.services.corpora.document import Progress
from app.services.hub.asking import hub_errors
from app.services.hub.errors import HubUnreachable
from app.services.model_source import ModelFormatInvalid

WANTED = (
    "config.json",
    "generation_config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer*.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "chat_template.jinja",
)
METADATA_TIMEOUT_SECONDS = 10.0


class RemoteFile(NamedTuple):
    """A file as the hub announces it; ``sha256`` of those that it keeps as large files."""

    name: str
    size_bytes: int
    sha256: str | None = None


class DownloadDamaged(HubUnreachable):
    """The hub, or somebody on the way, sent something else than was announced."""

    @classmethod
    def of(cls, file: RemoteFile) -> Self:
        return cls(
            f"{file.name} did not arrive as the hub announced it (size or checksum). Try again; if "
            "that does not help, something between this machine and the hub alters downloads.",
            details={"file": file.name, "size_bytes": file.size_bytes},
        )


class NotEnoughSpace(AppError):
    """The disk cannot hold the download; raised before the first byte."""

    code = ErrorCode.DISK_FULL
    status = 507


def list_repository(
    what: str, repo_id: str, revision: str | None, token: str | None
) -> tuple[str, list[RemoteFile]]:
    """The commit of a repository of the hub's models and all its files.

    Raises:
        RepoNotFound: As ``hub_errors``, which calls it ``what``.
        HubUnreachable: As ``hub_errors``.
    """
    from huggingface_hub import HfApi

    with hub_errors(what, repo_id):
        info = HfApi().model_info(
            repo_id,
            revision=revision,
            files_metadata=True,
            timeout=METADATA_TIMEOUT_SECONDS,
            token=token or False,
        )
    files = [
        RemoteFile(file.rfilename, file.size or 0, file.lfs.sha256 if file.lfs else None)
        for file in info.siblings or []
    ]
    return str(info.sha), files


def list_model_files(
    repo_id: str, revision: str | None, token: str | None
) -> tuple[str, list[RemoteFile]]:
    """The commit of a model repository and the files that an import needs.

    Raises:
        RepoNotFound: As ``hub_errors``.
        HubUnreachable: As ``hub_errors``.
        ModelFormatInvalid: No safetensors in it.
    """
    commit, files = list_repository("model", repo_id, revision, token)
    wanted = [file for file in files if is_wanted(file.name)]
    if not any(file.name.endswith(".safetensors") for file in wanted):
        pickled = any(file.name.endswith((".bin", ".pt", ".pth")) for file in files)
        raise ModelFormatInvalid(
            f"{repo_id} offers its weights only as pickles, which can run code and are never "
            "loaded. Choose a repository with .safetensors files."
            if pickled
            else f"{repo_id} holds no .safetensors weights, so it is not a language model.",
            details={"repo_id": repo_id},
        )
    return commit, wanted


def is_wanted(name: str) -> bool:
    """Whether a file of a repository is needed; only files at its top can be."""
    return "/" not in name and any(fnmatch.fnmatchcase(name, pattern) for pattern in WANTED)


def download_model_files(
    repo_id: str,
    commit: str,
    files: list[RemoteFile],
    folder: Path,
    token: str | None,
    on_progress: Callable[[Progress], None],
) -> None:
    """Download files into a folder; what an earlier attempt completed is not fetched again.

    Args:
        repo_id: Repository.
        commit: Commit that ``list_model_files`` named.
        files: Its files.
        folder: Destination; created.
        token: Access token, if any.
        on_progress: Told in bytes; it may raise to stop.

    Raises:
        RepoNotFound: As ``hub_errors``.
        HubUnreachable: As ``hub_errors``.
        DownloadDamaged: What arrived is not what the hub announced; it is deleted again.
    """
    from huggingface_hub import hf_hub_download

    folder.mkdir(parents=True, exist_ok=True)
    total = sum(file.size_bytes for file in files)
    _check_space(folder, total)
    done = 0
    for file in files:
        bar = _bar_class(partial(_add_bytes, on_progress, done, total, file))
        with hub_errors("model", repo_id), _damage_named(file):
            hf_hub_download(
                repo_id,
                file.name,
                revision=commit,
                local_dir=folder,
                token=token or False,
                etag_timeout=METADATA_TIMEOUT_SECONDS,
                tqdm_class=bar,
            )
        _verify(folder / file.name, file)
        done += file.size_bytes
        on_progress(Progress(done, total, "bytes"))


def _add_bytes(
    on_progress: Callable[[Progress], None],
    before: int,
    total: int,
    file: RemoteFile,
    in_file: int,
) -> None:
    if in_file > file.size_bytes:  # the disk was measured for what was announced
        raise DownloadDamaged.of(file)
    on_progress(Progress(before + in_file, total, "bytes"))


@contextmanager
def _damage_named(file: RemoteFile) -> Iterator[None]:
    """The library says in words alone that a file came too short."""
    try:
        yield
    except OSError as error:
        if "Consistency check failed" not in str(error):
            raise
        raise DownloadDamaged.of(file) from error


def _verify(path: Path, file: RemoteFile) -> None:
    """Compare size and checksum with what the hub announced; the library compares sizes only."""
    with path.open("rb") as content:
        is_whole = path.stat().st_size == file.size_bytes and (
            file.sha256 is None or hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
        )
    if not is_whole:
        path.unlink()
        raise DownloadDamaged.of(file)


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    # The import writes the weights a second time, in the format that everything here reads.
    if free < 2 * needed:
        raise NotEnoughSpace(
            f"The download needs {2 * needed / 1e9:.1f} GB of disk space and "
            f"{free / 1e9:.1f} GB are free. Delete something or choose a smaller model.",
            details={"needed_bytes": 2 * needed, "free_bytes": free},
        )


def _bar_class(on_bytes: Callable[[int], None]) -> type[Any]:
    """A silent progress bar for the hub library that passes the byte count on."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg, misc, unused-ignore]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **(kwargs | {"disable": True}))
            self._bytes = int(kwargs.get("initial", 0) or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self._bytes += int(n or 0)
            on_bytes(self._bytes)
            return None

    return Bar
