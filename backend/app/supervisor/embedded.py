"""The two embedded servers, for the supervisor and for the tests."""

from app.supervisor.binaries import BinaryMissing
from app.supervisor.postgres import PostgresServer, prepare_postgres, start_postgres
from app.supervisor.postgres_cluster import PostgresFailed
from app.supervisor.valkey import ValkeyFailed, ValkeyServer, prepare_valkey, start_valkey

__all__ = [
    "BinaryMissing",
    "PostgresFailed",
    "PostgresServer",
    "ValkeyFailed",
    "ValkeyServer",
    "prepare_postgres",
    "prepare_valkey",
    "start_postgres",
    "start_valkey",
]
