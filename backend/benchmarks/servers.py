"""Servers for a measurement, in a temporary home: nothing of an installation is touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.config import Settings, get_settings
from app.core.paths import ensure_home
from app.db.session import reset_engine
from app.supervisor.embedded import start_postgres, start_valkey
from app.supervisor.migrations import upgrade_to_head
from app.websocket.publisher import reset_publisher


@contextmanager
def fresh_servers() -> Iterator[Settings]:
    """An empty, migrated database and a Valkey; this process's environment names them."""
    with tempfile.TemporaryDirectory(prefix="mistudio-bench-") as name:
        home = Path(name)
        ensure_home(home)
        postgres, valkey = start_postgres(home), start_valkey(home)
        try:
            os.environ |= {
                "MISTUDIO_HOME": name,
                "DATABASE_URL": postgres.url,
                "REDIS_URL": valkey.url,
            }
            get_settings.cache_clear()
            upgrade_to_head(postgres.url)
            yield get_settings()
        finally:
            reset_engine()
            reset_publisher()
            valkey.stop()
            postgres.stop()
