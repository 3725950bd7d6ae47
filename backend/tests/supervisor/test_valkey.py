"""The embedded Valkey: messages outlive stops and kills, strangers stay out."""

import socket
from collections.abc import Iterator

import pytest
import redis

from app.supervisor import ports
from app.supervisor.embedded import ValkeyFailed, ValkeyServer, start_valkey
from tests.fixtures.rig import wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One server; each test leaves it running."""
    server = start_valkey(tmp_path_factory.mktemp("valkey-home"))
    yield server
    server.stop()


def ask(server: ValkeyServer, *command: str) -> object:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        return client.execute_command(*command)


def test_strangers_stay_out_and_the_password_is_in_private_files_only(server: ValkeyServer) -> None:
    with (
        redis.Redis(host=ports.LOOPBACK, port=server.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()

    files = [server.data_folder / "valkey.conf", server.home / "run" / "valkey.password"]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert server.password not in repr(server)


def test_nothing_is_ever_evicted(server: ValkeyServer) -> None:
    assert ask(server, "CONFIG", "GET", "maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_messages_survive_a_stop_and_a_start(server: ValkeyServer) -> None:
    ask(server, "RPUSH", "stopped", "message")
    address, pid = server.url, server.pid
    server.start()  # runs already: nothing happens
    assert server.pid == pid

    server.stop()
    assert (server.is_running(), server.is_ready(), server.pid) == (False, False, None)
    server.stop()
    server.start()

    assert server.url == address
    assert ask(server, "LRANGE", "stopped", "0", "-1") == ["message"]


def test_messages_survive_kill_9(server: ValkeyServer) -> None:
    ask(server, "RPUSH", "killed", "message")
    assert server.process is not None
    server.process.kill()
    server.process.wait(120)

    server.start()

    assert ask(server, "LRANGE", "killed", "0", "-1") == ["message"]


def test_the_address_moves_when_its_port_is_taken(server: ValkeyServer) -> None:
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((ports.LOOPBACK, server.port))
        squatter.listen()
        moved = start_valkey(server.home)
        assert moved.port != server.port
        moved.stop()
    server.start()


def test_a_file_it_cannot_read_is_told_in_its_own_words(server: ValkeyServer) -> None:
    server.stop()
    manifest = server.data_folder / "appendonlydir" / "appendonly.aof.manifest"
    good = manifest.read_bytes()
    manifest.write_bytes(b"not a manifest\n")
    try:
        with pytest.raises(ValkeyFailed, match=r"(?i)manifest"):
            server.start()
    finally:
        manifest.write_bytes(good)
    server.start()


def test_a_server_that_hangs_is_killed(server: ValkeyServer) -> None:
    assert server.process is not None
    server.process.send_signal(19)  # SIGSTOP
    wait_for(lambda: not server.is_ready(), "silence")

    server.stop(timeout_seconds=0.2)

    assert not server.is_running()
    server.start()
