"""What the stack is made of."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import Settings
from app.supervisor import ports, stack
from app.supervisor.probe import answers
from app.workers.queues import QUEUE_SLOTS
from tests.fixtures.hub import serve_hub


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_every_queue_has_its_worker_with_its_slots(tmp_path: Path) -> None:
    units = {unit.name: unit for unit in stack.worker_units(Settings(home=tmp_path))}

    assert stack.WORKER_SLOTS == QUEUE_SLOTS
    assert set(units) == {*(f"worker-{queue}" for queue in QUEUE_SLOTS), "sweeper"}


def test_a_port_asked_for_on_purpose_is_never_replaced(tmp_path: Path, taken: int) -> None:
    with pytest.raises(stack.PortTaken, match=f"Port {taken} is taken by another program"):
        stack.choose_api_port(Settings(home=tmp_path, port=taken))


def test_the_port_of_nobodys_choice_gives_way(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    monkeypatch.setattr(settings, "port", taken)
    settings.model_fields_set.discard("port")

    assert stack.choose_api_port(settings) > taken


def test_port_0_takes_any_free_port(tmp_path: Path) -> None:
    assert ports.is_free(stack.choose_api_port(Settings(home=tmp_path, port=0)))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("studio.example", "http://studio.example:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_addresses_can_be_opened_on_this_machine(host: str, expected: str) -> None:
    assert stack.address(host, 8000) == expected


def test_the_page_of_dev_is_ready_when_its_port_listens(tmp_path: Path, taken: int) -> None:
    page = stack.page_unit(Settings(home=tmp_path), 8000, taken)

    assert page.name == "page"
    assert stack.choose_page_port() >= 5173
    assert not page.target.is_ready(), "a port in other hands does not make it ready"


def test_an_error_page_is_no_answer(taken: int) -> None:
    with serve_hub() as hub:
        assert not answers(f"{hub.url}/nothing/here")
    assert not answers(f"http://127.0.0.1:{taken}", timeout_seconds=0.1)
