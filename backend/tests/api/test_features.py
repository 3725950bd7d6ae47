"""One feature: its discovery, contexts, lens, partners."""

from base64 import b64decode
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.enums import EncoderType, JobKind, JobState, ResourceType, SaeSource, TrainingStatus
from app.db.models import ExtractionTemplate, Job, Training
from tests.api.asserts import data_of, error_of
from tests.api.feature_samples import LENS
from tests.factories import (
    make_checkpoint,
    make_example,
    make_feature,
    make_job,
    make_training,
)

URL = "/api/v1/features"


def test_discovery_reads_the_latest_checkpoint(
    client: TestClient, session: Session, training: Training
) -> None:
    body = {"trainingId": str(training.id), "examples_per_feature": 5}
    accepted = data_of(client.post(f"{URL}/extract", json=body), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert (job.queue, job.payload["checkpoint_step"]) == ("analysis", 100)
    assert job.payload["config"]["examples_per_feature"] == 5
    error_of(client.post(f"{URL}/extract", json=body), 409, "CONFLICT", "a feature discovery")


def test_discovery_takes_the_number_of_examples_of_a_template(
    client: TestClient, session: Session, training: Training
) -> None:
    template = ExtractionTemplate(name="many", top_k_examples=50)
    session.add(template)
    session.flush()
    body = {"training_id": str(training.id), "template_id": str(template.id)}
    accepted = data_of(client.post(f"{URL}/extract", json=body), 202)
    payload = session.get_one(Job, accepted["job_id"]).payload
    assert payload["config"]["examples_per_feature"] == 50
    body["template_id"] = str(uuid4())
    session.query(Job).delete()
    error_of(client.post(f"{URL}/extract", json=body), 404, "NOT_FOUND", "extraction template")


def test_discovery_needs_a_checkpoint_but_no_end(client: TestClient, session: Session) -> None:
    def extract(training: Training) -> Any:
        return client.post(f"{URL}/extract", json={"training_id": str(training.id)})

    running = make_training(session, status=TrainingStatus.TRAINING)
    make_checkpoint(session, running, 10)
    accepted = data_of(extract(running), 202)
    assert session.get_one(Job, accepted["job_id"]).payload["shares_device"]
    error_of(extract(make_training(session)), 409, "NOT_READY", "no checkpoint yet")
    orphan = make_training(session, activation_id=None)
    make_checkpoint(session, orphan, 10)
    store = make_training(session)
    orphan.model_id = store.model_id
    session.flush()
    error_of(extract(orphan), 409, "NOT_READY", "were deleted. Extract them again")
    orphan.source = SaeSource.IMPORTED
    orphan.layer, orphan.hook_type, orphan.encoder_type = 2, "mlp_input", EncoderType.TRANSCODER
    session.flush()
    error_of(extract(orphan), 409, "NOT_READY", "from any text: layer 2, mlp and mlp_input.")
    error_of(client.post(f"{URL}/extract", json={"training_id": str(uuid4())}), 404, "NOT_FOUND")
    bad = {"training_id": str(store.id), "examples_per_feature": 0}
    error_of(client.post(f"{URL}/extract", json=bad), 400, "VALIDATION_ERROR")


def test_discovery_of_a_paused_training(
    client: TestClient, session: Session, training: Training
) -> None:
    training.status = TrainingStatus.PAUSED
    make_job(session, JobKind.TRAINING_RUN, JobState.PAUSED, ResourceType.TRAINING, training.id)
    data_of(client.post(f"{URL}/extract", json={"training_id": str(training.id)}), 202)


def test_one_feature_and_its_contexts(
    client: TestClient, session: Session, training: Training
) -> None:
    feature = make_feature(session, training, 0)
    for rank in range(3):
        make_example(session, feature, rank, split="held_out" if rank else "train")
    read = data_of(client.get(f"{URL}/{feature.id}"))
    assert (read["n_examples"], read["n_tokens"]) == (3, 1000)
    examples = data_of(client.get(f"{URL}/{feature.id}/activations?top_k=2"))
    assert [(example["rank"], example["split"]) for example in examples] == [
        (0, "train"),
        (1, "held_out"),
    ]
    assert examples[0]["activations"][examples[0]["position"]] == examples[0]["max_activation"]
    error_of(client.get(f"{URL}/{feature.id}/activations?top_k=0"), 400, "VALIDATION_ERROR")


def test_the_logit_lens(client: TestClient, session: Session, training: Training) -> None:
    feature = make_feature(session, training, 0, metadata={"logit_lens": LENS})
    lens = data_of(client.get(f"{URL}/{feature.id}/logit-lens"))
    assert (lens["top"], lens["bottom"]) == (LENS["top"], LENS["bottom"])
    assert "decoder" in lens["definition"]
    without = make_feature(session, training, 1)
    error_of(client.get(f"{URL}/{without.id}/logit-lens"), 404, "NOT_FOUND", "was not measured")


@pytest.mark.parametrize(
    "part",
    ["", "activations", "logit-lens", "intervals", "histogram", "correlations", "neighbours",
     "history"],
)  # fmt: skip
def test_an_unknown_feature(client: TestClient, part: str) -> None:
    path = f"/{part}" if part else ""
    error_of(client.get(f"{URL}/999999999{path}"), 404, "NOT_FOUND", "This feature")
    error_of(client.get(f"{URL}/0{path}"), 400, "VALIDATION_ERROR")


def test_intervals_near_misses_and_the_histogram(
    client: TestClient, session: Session, training: Training
) -> None:
    metadata = {
        "intervals": [{"octave": 2, "from": 4, "to": 8, "count": 7, "share": 0.7},
                      {"octave": 1, "from": 2, "to": 4, "count": 3, "share": 0.3}],
        "histogram": {"edges": [2, 4, 8], "counts": [3, 7]},
    }  # fmt: skip
    feature = make_feature(session, training, 0, metadata=metadata)
    make_example(session, feature, 0)
    make_example(session, feature, 0, kind="sample", octave=1)
    make_example(session, feature, 0, kind="near_miss", margin=-0.25)
    url = f"{URL}/{feature.id}"
    high, low = data_of(client.get(f"{url}/intervals"))
    assert (high["share"], high["examples"], len(low["examples"])) == (0.7, [], 1)
    [near] = data_of(client.get(f"{url}/activations?kind=near_miss"))
    assert (near["kind"], near["margin"]) == ("near_miss", -0.25)
    assert len(data_of(client.get(f"{url}/activations"))) == 1
    histogram = data_of(client.get(f"{url}/histogram"))
    assert (histogram["counts"], histogram["n_zero"]) == ([3, 7], 990)


def test_partners_and_neighbours(client: TestClient, session: Session, training: Training) -> None:
    partner = {"index": 1, "pearson": 0.5, "jaccard": 0.25, "pmi": 1.5, "together": 9}
    metadata = {
        "correlated": [partner, partner | {"index": 7, "pearson": 0.2}], "n_co_firing_tokens": 1000,
        "decoder_neighbours": [{"index": 1, "cosine": 0.95}, {"index": 7, "cosine": 0.4}],
        "encoder_neighbours": [],
    }  # fmt: skip
    feature = make_feature(session, training, 0, metadata=metadata, nearest_cosine=0.95, map_x=0.5)
    other = make_feature(session, training, 1, activation_frequency=0.0, name="twin")
    found = data_of(client.get(f"{URL}/{feature.id}/correlations"))
    assert found["n_tokens"] == 1000
    assert found["features"][0] == {
        **{key: partner[key] for key in ("pearson", "jaccard", "pmi", "together")},
        "id": other.id, "neuron_index": 1, "name": "twin", "cosine": None,
    }  # fmt: skip
    assert len(found["features"]) == 2
    first = data_of(client.get(f"{URL}/{feature.id}/correlations?top_k=1"))
    assert first["features"] == found["features"][:1]
    near = data_of(client.get(f"{URL}/{feature.id}/neighbours"))
    assert [n["id"] for n in near["decoder"]] == [other.id, None]
    assert near["encoder"] == []
    shown = data_of(client.get(f"{URL}/map?training_id={training.id}"))
    assert shown["features"]["ids"] == [feature.id, other.id]
    assert shown["features"]["x"] == [0.5, None]
    assert (shown["dead"], shown["dense"]) == ([other.id], [])
    assert shown["duplicates"] == [[feature.id, other.id, 0.95]]


def test_the_packed_map_says_the_same(
    client: TestClient, session: Session, training: Training
) -> None:
    url = f"{URL}/map/packed?training_id={training.id}"
    empty = data_of(client.get(url))
    assert (empty["n_features"], set(empty["columns"].values())) == (0, {""})
    twin = {"decoder_neighbours": [{"index": 3, "cosine": 0.95}, {"index": 9, "cosine": 0.99}]}
    last = make_feature(session, training, 3, name="two\nlines", cluster=4, map_x=-1.5)
    first = make_feature(
        session, training, 1, metadata=twin, nearest_cosine=0.99, activation_frequency=0.25,
        label=None, max_activation=None,
    )  # fmt: skip
    found = data_of(client.get(url))
    read = {
        name: np.frombuffer(b64decode(found["columns"][name]), code).tolist()
        for name, code in (("ids", "<f8"), ("neuron_index", "<i4"), ("cluster", "<i4"))
    }
    assert read == {"ids": [first.id, last.id], "neuron_index": [1, 3], "cluster": [-1, 4]}
    x = np.frombuffer(b64decode(found["columns"]["x"]), "<f4")
    assert (np.isnan(x[0]), x[1]) == (True, -1.5)
    frequency = np.frombuffer(b64decode(found["columns"]["activation_frequency"]), "<f4")
    assert frequency[0] == 0.25
    assert np.isnan(np.frombuffer(b64decode(found["columns"]["max_activation"]), "<f4")[0])
    assert found["columns"]["names"] == "\ntwo lines"
    assert (found["n_features"], found["n_clusters"]) == (2, 1)
    # The neighbour that is not stored is in no pair.
    assert found["duplicates"] == [[first.id, last.id, 0.95]]


def test_trying_features_out_needs_something_to_try(
    client: TestClient, session: Session, training: Training
) -> None:
    body: dict[str, Any] = {"training_id": str(training.id)}
    line = {"text": "a", "expected": "x"}
    for bad in ({}, {"text": "a", "lines": [line, line]}, {"lines": [line, line]}):
        error_of(client.post(f"{URL}/probe", json=body | bad), 400, "VALIDATION_ERROR")
    wrong = body | {"text": "a", "feature_ids": [999999]}
    error_of(client.post(f"{URL}/probe", json=wrong), 404, "NOT_FOUND")
    silent = make_feature(session, training, 0)
    error_of(client.get(f"{URL}/{silent.id}/ablation"), 409, "NOT_READY", "never fired")
