"""Downloads lead to the hub and to public hosts, and nowhere into this network."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import ValidationFailed
from app.services.hub import border
from app.services.hub.border import PrivateAddress, check_address
from app.services.hub.dataset_stream import HubDataset
from app.services.hub.model_files import download_model_files, list_model_files
from tests.fixtures.hub import Hub, serve_hub

HUB = "https://8.8.8.8"
INSIDE = (
    "http://127.0.0.1:6379/", "https://localhost/x", "https://[::1]/x", "https://10.0.0.1/",
    "https://192.168.1.1/admin", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/",
    "https://[fe80::1]/", "https://[::ffff:127.0.0.1]/", "https://172.16.0.9/",
)  # fmt: skip
pytestmark = [pytest.mark.fault(22), pytest.mark.fault(24)]


def test_a_public_hub_leads_to_public_hosts_only() -> None:
    for url in INSIDE:
        with pytest.raises(PrivateAddress, match="inside this network"):
            check_address(url, endpoint=HUB)
    check_address("https://1.1.1.1/file", endpoint=HUB)
    check_address(f"{HUB}/api/models/x", endpoint=HUB)
    with pytest.raises(PrivateAddress):
        check_address("http://1.1.1.1/file", endpoint=HUB)  # from encrypted to open


def test_a_mirror_of_the_owners_may_lead_into_his_network() -> None:
    check_address("http://127.0.0.1:9000/file", endpoint="http://10.0.0.1:8080")


def test_a_redirect_into_this_network_is_not_followed(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub of the tests is on this machine; here it passes for one that is not."""
    weights = {"config.json": b"{}", "model.safetensors": b"w" * 64}
    hub.add("models", "org/moved", weights)
    with serve_hub() as inside:
        inside.add("models", "org/moved", weights)
        commit, files = list_model_files("org/moved", None, None)
        hub.elsewhere = inside
        own = hub.url.removeprefix("http://").partition(":")[0]
        monkeypatch.setattr(border, "_is_private", lambda host: host != own)
        inside.url = inside.url.replace("127.0.0.1", "localhost")
        with pytest.raises(PrivateAddress):
            download_model_files("org/moved", commit, files, tmp_path, None, lambda _: None)
        assert inside.requests == []


@pytest.fixture
def service() -> Iterator[str]:
    """Something on this machine that only we can reach; it must not be asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(418)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    assert asked == []


@pytest.mark.fault(23)
def test_a_repository_reads_no_file_of_this_machine_and_no_address(
    hub: Hub, tmp_path: Path, service: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("not for strangers")
    hub.add("datasets", "org/other", {"train.jsonl": b'{"text": "other"}'})
    for place in (
        str(secret), f"file://{secret}", "../../../../etc/passwd", f"{service}/x.jsonl",
        f"zip://x::{service}/y.zip", "hf://datasets/org/other/train.jsonl",
    ):  # fmt: skip
        card = f'---\nconfigs:\n- config_name: default\n  data_files: "{place}"\n---\n'
        files = {"README.md": card.encode(), "train.jsonl": b'{"text": "own"}'}
        hub.add("datasets", "org/evil", files)
        with pytest.raises(ValidationFailed, match="cannot be opened"):
            HubDataset(
                "org/evil", config=None, split=None, text_column=None, token=None, cache=tmp_path
            )


def test_a_folder_of_the_programs_is_no_repository(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app" / "notes").mkdir(parents=True)
    (tmp_path / "app" / "notes" / "a.txt").write_text("ours")
    monkeypatch.chdir(tmp_path)
    hub.add("datasets", "app/notes", {"train.jsonl": b'{"text": "theirs"}'})
    with pytest.raises(ValidationFailed, match="name of a folder here"):
        HubDataset(
            "app/notes", config=None, split=None, text_column=None, token=None, cache=tmp_path
        )
