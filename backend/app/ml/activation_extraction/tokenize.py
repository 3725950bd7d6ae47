"""Streaming tokenisation with bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.encoding import (
    encode_batch,
    is_heldout,
    length_histogram,
    split_text,
)
from app.ml.activation_extraction.npy_files import NpyWriter
from app.ml.activation_extraction.token_store import FORMAT
from app.ml.configs import TokenizationConfig
from app.ml.errors import CorpusEmpty, Stopped
from app.ml.files import folder_size_bytes, replacing_folder, write_json
from app.ml.language_models.loading import load_tokenizer
from app.ml.language_models.special_tokens import separator_token_id, start_token_id
from app.ml.records import Progress, Report, ShouldStop, TokenizationSummary

BATCH_CHARACTERS = 400_000
REPORT_SECONDS = 0.5


@dataclass
class _Pending:
    """Pieces of documents that wait for one call of the tokenizer."""

    pieces: list[str] = field(default_factory=list)
    documents: list[tuple[int, bool, int]] = field(default_factory=list)
    characters: int = 0

    def add(self, number: int, text: str, *, heldout: bool) -> None:
        pieces = list(split_text(text))
        self.pieces += pieces
        self.documents.append((number, heldout, len(pieces)))
        self.characters += len(text)


class _SplitWriter:
    """The documents of one split: their tokens in a file, their lengths and numbers in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = NpyWriter(path, (), np.int32)
        self.lengths: list[int] = []
        self.numbers: list[int] = []

    def add(self, number: int, ids: npt.NDArray[np.int32]) -> None:
        self.file.append(ids)
        self.lengths.append(len(ids))
        self.numbers.append(number)


def tokenize_documents(
    documents: Iterable[str],
    tokenizer_dir: Path,
    destination: Path,
    config: TokenizationConfig,
    report: Report,
    should_stop: ShouldStop,
    *,
    total_documents: int | None = None,
) -> TokenizationSummary:
    """Tokenise a stream of documents into a ``TokenStore``.

    Empty documents are skipped; text that spells a special token stays text; each document is
    followed by the separator. A document is held out when a hash of its text says so: copies of
    a text therefore land on the same side.

    Args:
        documents: Read once, never all in memory.
        tokenizer_dir: Model folder.
        destination: Folder to create; appears only when everything is written. An interrupted
            call leaves nothing behind and is simply started again.
        config: Window length, separator, split and limits.
        report: Gets progress in tokens when ``max_tokens`` is set, else in documents.
        should_stop: Asked once per batch of documents.
        total_documents: For the progress only.

    Raises:
        CorpusEmpty: no document held text.
        ModelFormatError: no readable tokenizer.
        Stopped: ``should_stop`` said so.
    """
    tokenizer = load_tokenizer(tokenizer_dir)
    separator = separator_token_id(tokenizer) if config.separator == "auto" else None
    start = start_token_id(tokenizer) if config.start_token == "auto" else None
    began = time.monotonic()
    with replacing_folder(destination) as folder:
        run = _Run(tokenizer, config, separator, folder, report, should_stop, total_documents)
        run.consume(documents)
        summary = run.finish(separator, start, began)
        files = [
            {"name": path.name, "size_bytes": path.stat().st_size}
            for path in sorted(folder.glob("*.npy"))
        ]
        metadata = {
            "format": FORMAT,
            "config": config.to_dict(),
            "files": files,
            **asdict(summary),
        }
        write_json(folder / "metadata.json", metadata)
    return summary


class _Run:
    def __init__(
        self,
        tokenizer: Any,
        config: TokenizationConfig,
        separator: int | None,
        folder: Path,
        report: Report,
        should_stop: ShouldStop,
        total_documents: int | None,
    ) -> None:
        self.tokenizer, self.config, self.separator = tokenizer, config, separator
        self.folder, self.report, self.should_stop = folder, report, should_stop
        self.total_documents = total_documents
        self.train = _SplitWriter(folder / "tokens.npy")
        self.heldout = _SplitWriter(folder / "heldout.npy")
        self.used = np.zeros(max(len(tokenizer), 1), dtype=bool)
        self.n_skipped = 0
        self.began = self.last_report = time.monotonic()

    @property
    def n_tokens(self) -> int:
        return self.train.file.rows + self.heldout.file.rows

    @property
    def n_documents(self) -> int:
        return len(self.train.lengths) + len(self.heldout.lengths)

    def consume(self, documents: Iterable[str]) -> None:
        pending = _Pending()
        for number, text in enumerate(documents):
            if not text.strip():
                self.n_skipped += 1
                continue
            heldout = is_heldout(text, self.config.heldout_percent)
            pending.add(number, text, heldout=heldout)
            if pending.characters >= BATCH_CHARACTERS:
                self._flush(pending)
                pending = _Pending()
            if self._is_full(len(pending.documents)):
                break
        self._flush(pending)

    def _is_full(self, waiting: int) -> bool:
        limit = self.config
        if limit.max_documents and self.n_documents + waiting >= limit.max_documents:
            return True
        return bool(limit.max_tokens and self.n_tokens >= limit.max_tokens)

    def _flush(self, pending: _Pending) -> None:
        if self.should_stop():
            raise Stopped("Tokenising was stopped.")
        rows = iter(encode_batch(self.tokenizer, pending.pieces))
        for number, heldout, n_pieces in pending.documents:
            ids = np.concatenate([next(rows) for _ in range(n_pieces)])
            if self.separator is not None:
                ids = np.append(ids, np.int32(self.separator))
            self.used[ids] = True
            (self.heldout if heldout else self.train).add(number, ids)
            if self.config.max_tokens and self.n_tokens >= self.config.max_tokens:
                break
        if time.monotonic() - self.last_report >= REPORT_SECONDS:
            self._report()

    def _report(self) -> None:
        self.last_report = time.monotonic()
        seconds = max(self.last_report - self.began, 1e-9)
        total = self.config.max_tokens
        if total:
            done = min(self.n_tokens, total)
            rate = self.n_tokens / seconds
            self.report(Progress(done, total, "tokens", "Tokenising", rate))
        else:
            n = self.n_documents + self.n_skipped
            total = max(self.total_documents or n, n)
            message = f"Tokenising: {self.n_tokens:,} tokens"
            self.report(Progress(n, total, "documents", message, n / seconds))

    def finish(self, separator: int | None, start: int | None, began: float) -> TokenizationSummary:
        """Join the splits into one file and count what is in it."""
        lengths = np.array(self.train.lengths + self.heldout.lengths, dtype=np.int64)
        n_train, n_heldout = self.train.file.rows, self.heldout.file.rows
        if not len(lengths):
            self.train.file.close()
            self.heldout.file.close()
            raise CorpusEmpty("The dataset holds no text to tokenise.")
        self.heldout.file.close()
        self.train.file.append_file(self.heldout.path)
        self.train.file.close()
        self.heldout.path.unlink()
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        numbers = np.array(self.train.numbers + self.heldout.numbers, dtype=np.int64)
        np.save(self.folder / "doc_offsets.npy", offsets)
        np.save(self.folder / "doc_numbers.npy", numbers)
        seconds = max(time.monotonic() - began, 1e-9)
        self._report()
        return TokenizationSummary(
            n_tokens=n_train + n_heldout,
            n_train_tokens=n_train,
            n_heldout_tokens=n_heldout,
            n_documents=len(lengths),
            n_heldout_documents=len(self.heldout.lengths),
            n_skipped_documents=self.n_skipped,
            vocabulary_used=int(self.used.sum()),
            vocabulary_size=len(self.used),
            mean_length=float(lengths.mean()),
            median_length=float(np.median(lengths)),
            min_length=int(lengths.min()),
            max_length=int(lengths.max()),
            lengths=length_histogram(lengths),
            separator_id=separator,
            start_id=start,
            tokens_per_second=(n_train + n_heldout) / seconds,
            size_bytes=folder_size_bytes(self.folder),
        )
