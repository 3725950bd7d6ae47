from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.errors import AppError, ValidationFailed
from app.services.upload_service import UploadTooLarge, receive

BOUNDARY = "the-boundary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, max_upload_bytes=100_000)


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    body = b""
    for name, filename, content in parts:
        extra = f'; filename="{filename}"' if filename is not None else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def in_chunks(body: bytes, size: int = 7) -> Iterator[bytes]:
    yield from (body[start : start + size] for start in range(0, len(body), size))


def kept_files(settings: Settings) -> list[Path]:
    return [path for path in settings.home.rglob("*") if path.is_file()]


def test_a_file_arrives_whole_in_whatever_pieces(settings: Settings) -> None:
    content = b"line\r\n--the-bound\n" * 500
    body = form(("name", None, b"My corpus"), ("file", "tales.txt", content))
    upload = receive(settings, CONTENT_TYPE, in_chunks(body))
    assert upload.path.read_bytes() == content
    assert upload.path.name == upload.filename == "tales.txt"
    assert upload.fields == {"name": "My corpus"}
    assert upload.path.is_relative_to(settings.data_root / "cache")


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/x.txt", "x.txt"),
        ("C:\\docs\\a b.md", "a b.md"),
        ("..hidden\t.jsonl", "hidden_.jsonl"),
    ],
)
def test_the_given_name_cannot_leave_its_folder(settings: Settings, given: str, kept: str) -> None:
    upload = receive(settings, CONTENT_TYPE, in_chunks(form(("file", given, b"text"))))
    assert upload.path.name == kept


@pytest.mark.fault(24)
def test_too_large_a_file_is_refused_and_leaves_nothing(settings: Settings) -> None:
    body = form(("file", "big.txt", b"x" * 200_000))
    with pytest.raises(UploadTooLarge, match="import it by its path"):
        receive(settings, CONTENT_TYPE, in_chunks(body, 4096))
    assert kept_files(settings) == []


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    ("content_type", "body", "sentence"),
    [
        ("application/json", b"{}", "multipart/form-data"),
        (None, b"", "multipart/form-data"),
        (CONTENT_TYPE, form(("name", None, b"x")), "file is missing"),
        (CONTENT_TYPE, form(("file", "a.exe", b"MZ")), "file must be one of"),
        (CONTENT_TYPE, form(("file", "a.txt", b"text" * 20))[:-30], "ended before"),
        (CONTENT_TYPE, b"garbage" * 20, "damaged"),
        (CONTENT_TYPE, form(("name", None, b"x" * 10_000), ("file", "a.txt", b"t")), "too long"),
        (CONTENT_TYPE, form(*[(f"f{n}", None, b"x") for n in range(40)]), "more than 32 parts"),
    ],
)
def test_a_broken_form_is_refused_and_leaves_nothing(
    settings: Settings, content_type: str | None, body: bytes, sentence: str
) -> None:
    with pytest.raises(ValidationFailed, match=sentence):
        receive(settings, content_type, in_chunks(body))
    assert kept_files(settings) == []


def test_a_connection_that_breaks_leaves_nothing(settings: Settings) -> None:
    def broken() -> Iterator[bytes]:
        yield form(("file", "a.txt", b"text" * 1000))[:2000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        receive(settings, CONTENT_TYPE, broken())
    assert kept_files(settings) == []


def test_errors_are_of_the_api(settings: Settings) -> None:
    with pytest.raises(AppError) as caught:
        receive(settings, "text/plain", iter([b"x"]))
    assert caught.value.status == 400
