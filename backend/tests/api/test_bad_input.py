"""What a person may enter wrongly in a form: each gets a code and a sentence that helps."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.api.asserts import error_of
from tests.factories import make_activation, make_model

INVALID = "VALIDATION_ERROR"
NOWHERE = str(uuid4())
# What a person does not read: patterns, names of Python's classes, pydantic's phrases.
MACHINE_WORDS = re.compile(r"Input should|\^\[|String should|valid string|unable to parse|Errno")


@pytest.fixture
def ids(session: Session, tmp_path: Path) -> dict[str, str]:
    """Rows of a usable model, corpus and store, and files that are none."""
    store = make_activation(session, model=make_model(session))
    (tmp_path / "empty.txt").touch()
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{oops")
    (tmp_path / "void").mkdir()
    rows = {"model": store.model_id, "dataset": store.dataset_id, "store": store.id}
    return {name: str(found) for name, found in rows.items()} | {"folder": str(tmp_path)}


FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "model": ("/models/download", {"repo_id": "a/b"}),
    "model path": ("/models/import", {"name": "n", "path": "{folder}"}),
    "dataset": ("/datasets/download", {"repo_id": "a/b"}),
    "dataset path": ("/datasets/import", {"name": "n", "path": "{folder}"}),
    "dictionary": ("/saes/download", {"model_id": "{model}", "repo_id": "a/b"}),
    "dictionary path": ("/saes/import", {"model_id": "{model}", "path": "{folder}"}),
    "extraction": (
        "/activations/extract",
        {"model_id": "{model}", "dataset_id": "{dataset}", "layers": [0]},
    ),
    "training": (
        "/trainings",
        {"model_id": "{model}", "dataset_id": "{dataset}", "activation_id": "{store}"},
    ),
    "discovery": ("/features/extract", {"training_id": NOWHERE}),
    "steering": (
        "/steering/generate",
        {"model_id": "{model}", "prompt": "hi", "features": [{"id": 1, "coefficient": 1}]},
    ),
}


@pytest.mark.parametrize(
    ("form", "wrong", "code", "sentence"),
    [
        ("model", {"repo_id": "not a repo"}, INVALID, "owner/name"),
        ("model", {"repo_id": ""}, INVALID, "owner/name"),
        ("model", {"repo_id": 7}, INVALID, "repo_id must be text."),
        ("model", {"access_token": "hf_a b"}, INVALID, "copy it again"),
        ("steering", {"condition": [1]}, INVALID, "condition must be a JSON object"),
        ("steering", {"condition": {"feature_id": 2**63}}, INVALID, "at most 9007199254740991."),
        ("model path", {"path": "~nobody-of-this-name/m"}, INVALID, "no user"),
        ("dictionary path", {"path": "/" + "long" * 1_250}, INVALID, "File name too long"),
        ("model", {"repo_id": "x" * 300}, INVALID, "repo_id must have at most 255 characters."),
        ("model", {"repo": "a/b"}, INVALID, "repo is not known here"),
        ("dataset", {"repo_id": "https://hub.example/a/b"}, INVALID, "owner/name"),
        ("dictionary", {"repo_id": "a/b/c"}, INVALID, "owner/name"),
        ("dictionary", {"subfolder": "x\n"}, INVALID, "as the repository shows it"),
        ("dictionary", {"subfolder": "../x"}, INVALID, "as the repository shows it"),
        ("model path", {"path": "/no/such"}, INVALID, "does not exist on this machine"),
        ("model path", {"path": "{folder}/empty.txt"}, "MODEL_FORMAT_INVALID", "not a GGUF file"),
        ("model path", {"path": "{folder}/void"}, "MODEL_FORMAT_INVALID", "holds no config.json"),
        ("model path", {"path": "{folder}/broken"}, "MODEL_FORMAT_INVALID", "is not JSON"),
        ("dataset path", {"path": "here"}, INVALID, "Give it from the root"),
        ("dataset path", {"path": "{folder}/empty.txt"}, "DATASET_EMPTY", "is empty"),
        ("dataset path", {"path": "{folder}/void"}, "DATASET_EMPTY", "Supported are"),
        ("dataset path", {"path": "{folder}/binary.txt"}, "DATASET_FORMAT_INVALID", "binary file"),
        ("dictionary path", {"path": "{folder}/void"}, "SAE_FORMAT_INVALID", "is no dictionary"),
        ("extraction", {"layers": [99]}, "HOOK_POINT_NOT_FOUND", "Its layers are 0 to 3."),
        ("extraction", {"layers": []}, INVALID, "at least one layer"),
        ("extraction", {"layers": ["two"]}, INVALID, "must be a whole number"),
        ("extraction", {"hook_types": ["soup"]}, INVALID, "'residual', 'resid_mid', 'mlp'"),
        ("extraction", {"max_tokens": 0}, INVALID, "max_tokens must be at least 1000."),
        ("extraction", {"dataset_id": NOWHERE}, "NOT_FOUND", "This dataset does not exist"),
        ("extraction", {"model_id": "x"}, INVALID, "must be an id"),
        ("training", {"hyperparameters": {"k": 99, "d_sae": 64}}, INVALID, "exceed the 64 latents"),
        ("training", {"hyperparameters": {"k": 0}}, INVALID, "hyperparameters.k must be at least"),
        ("training", {"hyperparameters": {"depth": 3}}, INVALID, "depth is not known here"),
        ("training", {"layer": 77}, "HOOK_POINT_NOT_FOUND", "It holds: 2."),
        ("training", {"activation_id": NOWHERE}, "NOT_FOUND", "activation store does not exist"),
        ("training", {"dataset_id": NOWHERE}, "NOT_FOUND", "This dataset does not exist"),
        ("discovery", {}, "NOT_FOUND", "This training does not exist"),
        ("steering", {"prompt": ""}, INVALID, "prompt must not be empty."),
        ("steering", {"prompt": "  "}, INVALID, "type some text to continue"),
        ("steering", {"features": []}, INVALID, "features needs at least 1 entry."),
        ("steering", {"features": [{"id": 123456}]}, "NOT_FOUND", "Feature 123456 does not exist"),
        ("steering", {"intervention_layer": 99}, "HOOK_POINT_NOT_FOUND", "has no layer 99"),
        ("steering", {"temperature": -1}, INVALID, "temperature must be at least 0."),
    ],
)
def test_a_wrong_entry_gets_a_code_and_a_sentence(
    client: TestClient, ids: dict[str, str], form: str, wrong: Any, code: str, sentence: str
) -> None:
    path, right = FORMS[form]
    body = {name: _filled(value, ids) for name, value in {**right, **wrong}.items()}
    response = client.post(f"/api/v1{path}", json=body)
    status = 404 if code == "NOT_FOUND" else 400
    message = error_of(response, status, code, sentence)["message"]
    assert not MACHINE_WORDS.search(message), message
    assert message[-1] in ".)", message


@pytest.mark.parametrize(
    ("name", "content", "code", "sentence"),
    [
        ("empty.txt", b"", "DATASET_EMPTY", "is empty"),
        ("binary.txt", bytes(range(256)) * 40, "DATASET_FORMAT_INVALID", "binary file"),
        ("report.pdf", b"%PDF", INVALID, "must be one of .txt"),
        ("rows.jsonl", b"{oops\n", "DATASET_FORMAT_INVALID", "line 1 is not JSON"),
    ],
)
def test_a_file_without_text_is_refused(
    client: TestClient, name: str, content: bytes, code: str, sentence: str
) -> None:
    files = {"file": (name, content)}
    response = client.post("/api/v1/datasets/upload", files=files, data={"name": "u"})
    error_of(response, 400, code, sentence)


def test_no_body_at_all(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post("/api/v1/trainings", content=b"", headers=headers)
    error_of(response, 400, INVALID, "needs a body")


def _filled(value: Any, ids: dict[str, str]) -> Any:
    return value.format(**ids) if isinstance(value, str) else value
