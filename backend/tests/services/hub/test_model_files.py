from pathlib import Path

import pytest

from app.core.errors import AppError
from app.services.corpora.document import Progress
from app.services.hub.errors import HubUnreachable, RepoNotFound
from app.services.hub.model_files import (
    DownloadDamaged,
    download_model_files,
    is_wanted,
    list_model_files,
)
from app.services.model_source import ModelFormatInvalid
from tests.fixtures.hub import COMMIT, ENDLESS_BYTES, Hub, Misdeed, serve_hub

WEIGHTS = bytes(range(256)) * 4000
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "pytorch_model.bin": b"pickle",
    "modeling_custom.py": b"print('never')",
    "onnx/model.safetensors": b"not at the top",
}


def test_only_safetensors_and_tokenizer_files_are_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.add("models", "org/tiny", FILES)
    seen: list[Progress] = []
    commit, files = list_model_files("org/tiny", None, None)
    download_model_files("org/tiny", commit, files, tmp_path / "to", None, seen.append)
    assert commit == COMMIT
    fetched = {path.name for path in (tmp_path / "to").iterdir() if not path.name.startswith(".")}
    assert fetched == {"config.json", "model.safetensors", "tokenizer.json"}
    assert (tmp_path / "to" / "model.safetensors").read_bytes() == WEIGHTS
    assert seen[-1].done == seen[-1].total == sum(file.size_bytes for file in files)
    assert [p.done for p in seen] == sorted(p.done for p in seen)


@pytest.mark.fault(22)
def test_a_second_attempt_fetches_nothing_twice(hub: Hub, tmp_path: Path) -> None:
    hub.add("models", "org/tiny", FILES)
    commit, files = list_model_files("org/tiny", None, None)
    download_model_files("org/tiny", commit, files, tmp_path, None, lambda _: None)
    hub.requests.clear()
    download_model_files("org/tiny", commit, files, tmp_path, None, lambda _: None)
    assert not [line for line in hub.requests if line.startswith('"GET')]


@pytest.mark.fault(22)
def test_a_request_to_stop_ends_the_download(hub: Hub, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    hub.add("models", "org/tiny", FILES)
    commit, files = list_model_files("org/tiny", None, None)
    with pytest.raises(KeyboardInterrupt):
        download_model_files("org/tiny", commit, files, tmp_path, None, stop)


@pytest.mark.fault(22)
@pytest.mark.parametrize(
    ("repo", "error", "sentence"),
    [
        ("org/missing", RepoNotFound, "no model org/missing on the hub, or it is private"),
        ("org/private", RepoNotFound, "give an access token"),
        ("org/gated", RepoNotFound, "Accept its terms"),
        ("org/pickled", ModelFormatInvalid, "only as pickles"),
        ("org/text", ModelFormatInvalid, "not a language model"),
    ],
)
def test_refusals_say_what_to_do(hub: Hub, repo: str, error: type[AppError], sentence: str) -> None:
    hub.add("models", "org/private", FILES, token="s3cret")
    hub.add("models", "org/gated", FILES, token="s3cret", gated=True)
    hub.add("models", "org/pickled", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    hub.add("models", "org/text", {"README.md": b"hello"})
    with pytest.raises(error, match=sentence):
        list_model_files(repo, None, None)


@pytest.mark.fault(22)
def test_an_unknown_revision_and_a_broken_hub(hub: Hub) -> None:
    hub.add("models", "org/tiny", FILES)
    with pytest.raises(RepoNotFound, match="no such revision"):
        list_model_files("org/tiny", "v9", None)
    hub.failing = True
    with pytest.raises(HubUnreachable, match="Try again later"):
        list_model_files("org/tiny", None, None)


@pytest.mark.fault(22)
def test_a_token_opens_a_private_repository_and_none_is_sent_unasked(hub: Hub) -> None:
    hub.add("models", "org/private", FILES, token="s3cret")
    hub.add("models", "org/tiny", FILES)
    list_model_files("org/tiny", None, None)
    assert hub.tokens == set()
    assert len(list_model_files("org/private", None, "s3cret")[1]) == 3
    assert hub.tokens == {"s3cret"}


@pytest.mark.fault(22)
def test_no_hub_at_all(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubUnreachable, match="did not answer"):
        list_model_files("org/tiny", None, None)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library waits 10 s for a silent hub and 1 s before it tries again."""
    import huggingface_hub

    # Long enough for the hub of a busy machine, which must not seem silent five times in a row.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 2)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)


@pytest.mark.fault(22)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "misdeeds",
    [["stall"], ["reset"], ["reset", "stall", "reset"], ["reset", "whole"], ["busy"]],
    ids="-".join,
)
def test_a_bad_network_costs_time_only(hub: Hub, tmp_path: Path, misdeeds: list[Misdeed]) -> None:
    hub.add("models", "org/tiny", FILES)
    commit, files = list_model_files("org/tiny", None, None)
    hub.misdeeds["model.safetensors"] = list(misdeeds)
    seen: list[Progress] = []
    download_model_files("org/tiny", commit, files, tmp_path, None, seen.append)
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.misdeeds["model.safetensors"] == []
    assert seen[-1].done == seen[-1].total


@pytest.mark.fault(22)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("misdeed", "error", "sentence"),
    [
        ("altered", DownloadDamaged, "size or checksum"),
        ("endless", DownloadDamaged, "size or checksum"),
        ("short", DownloadDamaged, "size or checksum"),
        ("broken", HubUnreachable, "Try again later"),
    ],
)
def test_a_hub_that_lies_is_not_believed(
    hub: Hub, tmp_path: Path, misdeed: Misdeed, error: type[AppError], sentence: str
) -> None:
    hub.add("models", "org/tiny", FILES)
    commit, files = list_model_files("org/tiny", None, None)
    hub.misdeeds["model.safetensors"] = [misdeed]
    with pytest.raises(error, match=sentence):
        download_model_files("org/tiny", commit, files, tmp_path, None, lambda _: None)
    assert not (tmp_path / "model.safetensors").exists()
    written = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert written < ENDLESS_BYTES // 2

    download_model_files("org/tiny", commit, files, tmp_path, None, lambda _: None)
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.fault(22)
def test_the_token_does_not_follow_to_another_host(hub: Hub, tmp_path: Path) -> None:
    with serve_hub() as store:
        hub.add("models", "org/private", FILES, token="s3cret")
        store.add("models", "org/private", FILES)
        store.url = store.url.replace("127.0.0.1", "localhost")
        commit, files = list_model_files("org/private", None, "s3cret")
        hub.elsewhere = store
        download_model_files("org/private", commit, files, tmp_path, "s3cret", lambda _: None)
        assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS
        assert [line for line in store.requests if line.startswith('"GET')]
        assert (hub.tokens, store.tokens) == ({"s3cret"}, set())


def test_what_is_wanted() -> None:
    assert is_wanted("model-00001-of-00002.safetensors")
    assert is_wanted("model.safetensors.index.json")
    assert not is_wanted("adapter_model.safetensors")
    assert not is_wanted("consolidated.safetensors")
