"""A hub data set as a corpus, streamed: only what is read is fetched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.core.errors import ValidationFailed
from app.services.corpora.document import Document, Progress
from app.services.corpora.records import documents_of
from app.services.hub.asking import hub_errors

METADATA_TIMEOUT_SECONDS = 10.0


class HubDataset:
    """Documents of one split.

    Args:
        repo_id: Repository of the data set.
        config: Its configuration (subset); None takes the only one or ``default``.
        split: Its split; None takes ``train`` when there is one, else the first.
        text_column: Column of the text; None picks it.
        token: Access token, if any.
        cache: Folder for the library's own files.

    Raises:
        RepoNotFound: As ``hub_errors``.
        HubUnreachable: As ``hub_errors``.
        ValidationFailed: No such configuration or split.
    """

    def __init__(
        self,
        repo_id: str,
        *,
        config: str | None,
        split: str | None,
        text_column: str | None,
        token: str | None,
        cache: Path,
    ) -> None:
        self._repo_id = repo_id
        self._text_column = text_column
        self._read = 0
        with hub_errors("dataset", repo_id):
            _check_exists(repo_id, token)
            splits = _open_streams(repo_id, config, token, cache)
        self.split = _choose_split(repo_id, list(splits), split)
        self._stream = splits[self.split]
        self._total = _count(self._stream, self.split)

    def documents(self) -> Iterator[Document]:
        with hub_errors("dataset", self._repo_id):
            yield from documents_of(self._rows(), self._text_column, self._repo_id)

    def progress(self) -> Progress:
        return Progress(self._read, self._total, "documents")

    def _rows(self) -> Iterator[Any]:
        for row in self._stream:
            self._read += 1
            yield row


def _check_exists(repo_id: str, token: str | None) -> None:
    """The streaming library hides the reason of a refusal; the plain API tells it."""
    from huggingface_hub import HfApi

    if Path(repo_id).exists():  # the library would take the folder instead
        raise ValidationFailed(
            f"{repo_id} is the name of a folder here, too. Import it from its path.",
            details={"field": "repo_id", "value": repo_id},
        )
    HfApi().dataset_info(repo_id, timeout=METADATA_TIMEOUT_SECONDS, token=token or False)


def _open_streams(
    repo_id: str, config: str | None, token: str | None, cache: Path
) -> dict[str, Any]:
    from datasets import DownloadConfig, load_dataset
    from datasets.exceptions import DatasetNotFoundError

    try:
        return dict(
            load_dataset(
                repo_id,
                config,
                streaming=True,
                token=token or False,
                cache_dir=str(cache),
                download_config=DownloadConfig(
                    cache_dir=cache / "downloads", token=token or False, max_retries=2
                ),
            )
        )
    except DatasetNotFoundError as error:
        raise ConnectionError(str(error)) from error
    # Unknown or ambiguous configuration, and then the text lists them; or files that are not there.
    except (ValueError, FileNotFoundError) as error:
        raise ValidationFailed(
            f"{repo_id} cannot be opened: {error}", details={"repo_id": repo_id, "config": config}
        ) from error


def _choose_split(repo_id: str, splits: list[str], wanted: str | None) -> str:
    if wanted is None:
        return "train" if "train" in splits else splits[0]
    if wanted not in splits:
        raise ValidationFailed(
            f"{repo_id} has no split {wanted!r}. It has: {', '.join(splits)}.",
            details={"field": "split", "value": wanted, "choices": splits},
        )
    return wanted


def _count(stream: Any, split: str) -> int:
    """Documents in the split when the data set's card says so, else 0."""
    known = (stream.info.splits or {}).get(split)
    return int(known.num_examples or 0) if known is not None else 0
