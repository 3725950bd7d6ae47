"""Every operation of the real application against its own document, all checks of schemathesis on.

Servers of its own: what the requests leave behind would confuse other tests. No worker listens, so
that what they start stays queued. ``schemathesis.toml`` says what is allowed, and why.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.core.paths import ensure_home
from app.supervisor.embedded import start_postgres, start_valkey
from app.supervisor.migrations import upgrade_to_head
from app.supervisor.ports import pick_port
from app.supervisor.stack import HTTP_PROTOCOL
from tests import factories
from tests.fixtures.stack import session_of

BACKEND = Path(__file__).parents[2]
CONFIG = BACKEND / "schemathesis.toml"
TOKEN = "schemathesis-access-token"
# Ends a run that hangs: 11,600 requests take one to two minutes on two cores of their own.
LIMIT_SECONDS = 1200


@pytest.mark.slow
@pytest.mark.fault(24)
def test_no_request_meets_a_bug_or_another_answer_than_declared(tmp_path: Path) -> None:
    with _api(tmp_path) as (address, ids):
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG.read_text() + _known(ids))
        run = subprocess.run(
            [
                "schemathesis", "--config-file", str(config), "run", f"{address}/openapi.json",
                "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful",
                "--wait-for-schema", "240", "--header", f"Authorization: Bearer {TOKEN}",
                "--warnings", "off", "--no-color",
            ],
            cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]


def _known(ids: dict[str, str]) -> str:
    """Ids that exist, for a half of the requests."""
    lists = [f"[dictionaries.{name}]\nvalues = [{_toml(value)}]" for name, value in ids.items()]
    uses = [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}' for name in ids]
    return "\n".join(["", *lists, "[parameters]", *uses, ""])


def _toml(value: str) -> str:
    return value if value.isdigit() else f'"{value}"'


@contextmanager
def _api(home: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The API as it is started in earnest, asking for a token, over a database with some rows."""
    port = pick_port()
    with tempfile.TemporaryDirectory(prefix="mistudio-api-", ignore_cleanup_errors=True) as name:
        settings = Settings(home=Path(name))
        ensure_home(settings.home)
        postgres, valkey = start_postgres(settings.home), start_valkey(settings.home)
        upgrade_to_head(postgres.url)
        environment = os.environ | {
            "MISTUDIO_HOME": name, "DATABASE_URL": postgres.url, "REDIS_URL": valkey.url,
            "MISTUDIO_TOKEN": TOKEN,
            "MISTUDIO_STEERING_TIMEOUT": "PT0.1S",  # nobody will answer
        }  # fmt: skip
        with session_of(settings.model_copy(update={"database_url": postgres.url})) as session:
            ids = _rows(session)
            session.commit()
        command = ["uvicorn", "app.main:create_app", "--factory", "--port", str(port)]
        with (home / "api.log").open("wb") as log:
            api = subprocess.Popen(
                [sys.executable, "-m", *command, "--no-access-log", "--http", HTTP_PROTOCOL],
                cwd=BACKEND, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            yield f"http://127.0.0.1:{port}", ids
        finally:
            api.terminate()
            api.wait(120)
            valkey.stop()
            postgres.stop()


def _rows(session: Session) -> dict[str, str]:
    """One of everything, by the name of the parameter that it is asked for by."""
    model, dataset = factories.make_model(session), factories.make_dataset(session)
    store = factories.make_activation(session, model, dataset)
    training = factories.make_training(session, store)
    checkpoint = factories.make_checkpoint(session, training, 100)
    factories.make_metrics(session, training, [10, 20])
    feature = factories.make_feature(session, training, 0)
    factories.make_example(session, feature, 0)
    job = factories.make_job(session, JobKind.DATASET_IMPORT, JobState.FAILED)
    rows = {
        "model_id": model, "dataset_id": dataset, "activation_id": store, "training_id": training,
        "sae_id": training, "checkpoint_id": checkpoint, "job_id": job,
        "feature_id": feature,
    }  # fmt: skip
    return {name: str(row.id) for name, row in rows.items()}
