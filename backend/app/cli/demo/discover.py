"""Finding the features, and choosing some to show and to steer with."""

import itertools
import re
from typing import Any

from app.cli.demo.api import Api
from app.cli.demo.display import already_there, running_step
from app.cli.demo.jobs import follow, unfinished

Resource = dict[str, Any]
_TITLE = "Features"
SHOWN = 5
_CHOSEN = 10
CONTEXTS = 3
# Features whose contexts are compared by meaning: a second each, and the demo is short.
COHERENT = 16
# A feature that fires on more than every fiftieth token rarely means one thing; one that fired
# only a few times has not shown what it means.
_MOST_FREQUENT, _FEWEST_FIRES, _CANDIDATES = 0.02, 20, 2000
_LOOKED_AT = 25
_QUOTED = re.compile(r'"([^"]+)"')


def discover(api: Api, training: Resource) -> Resource:
    """The training with its features measured.

    Returns:
        The training; ``n_features`` above 0.
    """
    if training["n_features"]:
        already_there(_TITLE, f"{training['n_features']:,} features")
        return training
    with running_step(_TITLE) as step:
        job_id = unfinished(training["discovery_job"])
        if job_id is None:
            body = {"training_id": training["id"], "coherence_features": COHERENT}
            job_id = api.post("/features/extract", body)["job_id"]
        follow(api, job_id, step)
        measured: Resource = api.get(f"/trainings/{training['id']}")
        step.figures = f"{measured['n_features']:,} features"
    return measured


def choose_features(api: Api, training: Resource) -> list[Resource]:
    """Ten features with a label of their own, strongest first, each with ``examples``.

    The label is measured (tokens that the strongest contexts share); whole words come before
    pieces of words and signs, because they are easier to judge by eye.
    """
    rows = api.list("/features", training_id=training["id"], sort_by="max_activation", order="desc")
    usable: dict[str, Resource] = {}
    for row in itertools.islice(rows, _CANDIDATES):
        words = label_words(row)
        often_enough = (row["n_fires"] or 0) >= _FEWEST_FIRES
        if words and often_enough and (row["activation_frequency"] or 1.0) <= _MOST_FREQUENT:
            usable.setdefault(words[0], row)
    ranked = sorted(usable.values(), key=difficulty)
    chosen: list[Resource] = []
    others: list[Resource] = []
    for row in ranked[:_LOOKED_AT]:
        row["examples"] = api.get(f"/features/{row['id']}/activations", top_k=CONTEXTS)
        agrees = all(_fires_on_label(row, example) for example in row["examples"])
        (chosen if agrees else others).append(row)
        if len(chosen) == _CHOSEN:
            break
    return [*chosen, *others][:_CHOSEN]


def label_words(feature: Resource) -> list[str]:
    """The tokens that the label names, lower case and without spaces, most frequent first."""
    tokens = _QUOTED.findall(feature["label"] or "")
    return [word for token in tokens if (word := token.strip().casefold())]


def difficulty(feature: Resource) -> tuple[bool, bool, bool]:
    """Sorts features that are easy to judge by eye first: one whole word before the rest."""
    words = label_words(feature)
    starts_inside_a_word = not _QUOTED.findall(feature["label"])[0].startswith(" ")
    return not (len(words[0]) >= 4 and words[0].isalpha()), len(words) > 1, starts_inside_a_word


def _fires_on_label(feature: Resource, example: Resource) -> bool:
    peak = str(example["tokens"][example["position"]]).strip().casefold()
    return peak in label_words(feature)
