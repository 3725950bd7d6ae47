"""Text with and without a feature pushed."""

import itertools
from typing import Any

from app.cli.demo.api import Api, DemoFailed
from app.cli.demo.discover import label_words
from app.cli.demo.display import running_step

Resource = dict[str, Any]
DEFAULT_PROMPT = "The most important thing to know about this is"
_SETTINGS = {"max_new_tokens": 50, "temperature": 0.0, "repetition_penalty": 1.2}
# In multiples of the feature's largest measured activation. The first brings a feature's words in
# most often; the second is for models that it pushes into nonsense: text whose perplexity under the
# unsteered model is so many times that of its own.
_STRENGTHS = (1.6, 1.0)
_NONSENSE = 7.0
# Each try costs seconds. Two more of its words than without the feature are seldom chance.
_TRIES = 14
_ENOUGH = 2
_RUNS_LOOKED_AT = 300


def steer(api: Api, training: Resource, features: list[Resource], prompt: str | None) -> Resource:
    """Generate both texts with the feature and strength that bring most of its own words in.

    The first that brings enough of them is taken. Where none brings any, the first pair of texts
    that differ is shown. What an earlier run of the demo generated with the same settings is read
    again.

    Raises:
        DemoFailed: no feature changed the text at any strength.
    """
    prompt = prompt or DEFAULT_PROMPT
    saved = _saved_runs(api, training["model_id"], prompt)
    best: Resource | None = None
    most = -1
    tries = list(itertools.product(_STRENGTHS, features))[:_TRIES]
    with running_step("Steering") as step:
        for number, (strength, feature) in enumerate(tries):
            step.show(100 * number / len(tries), f"{feature['label']} × {strength:g}", None)
            result = _read_again(api, saved.get((feature["id"], strength)))
            result = result or _generate(api, training, feature, strength, prompt)
            gained = _words_gained(result, label_words(feature))
            if gained is not None and gained > most:
                best, most = result, gained
            if most >= _ENOUGH:
                break
        if best is None:
            raise DemoFailed("Steering: the text did not change at any strength tried.")
        step.figures = f"two texts in {best['seconds']:.1f} s"
    return best


def _words_gained(result: Resource, words: list[str]) -> int | None:
    """How many more of the words the steered text has; None where the texts are the same.

    A text that was pushed too far counts as one that gained nothing.
    """
    if result["proof"]["first_divergence"] is None:
        return None
    own = metric(result, "perplexity_unsteered")
    steered = metric(result, "perplexity_steered")
    if own and steered and steered > _NONSENSE * own:
        return 0
    gained = _count(result, "steered_output", words) - _count(result, "unsteered_output", words)
    return max(0, gained)


def _generate(
    api: Api, training: Resource, feature: Resource, strength: float, prompt: str
) -> Resource:
    body = {
        "model_id": training["model_id"],
        "prompt": prompt,
        "features": [{"id": feature["id"], "coefficient": strength}],
        **_SETTINGS,
    }
    answer: Resource = api.post("/steering/generate", body)
    return answer


def _saved_runs(api: Api, model_id: str, prompt: str) -> dict[tuple[int, float], str]:
    """Ids of the runs that pushed one feature at this prompt, by feature and strength."""
    found: dict[tuple[int, float], str] = {}
    for run in itertools.islice(api.list("/steering/runs", model_id=model_id), _RUNS_LOOKED_AT):
        if run["prompt"] == prompt and len(run["features"]) == 1:
            [feature] = run["features"]
            found.setdefault((feature["id"], feature["coefficient"]), run["id"])
    return found


def _read_again(api: Api, run_id: str | None) -> Resource | None:
    """A saved run's result, if it was made as the demo makes them."""
    if run_id is None:
        return None
    run = api.get(f"/steering/runs/{run_id}")
    result: Resource = run["result"]
    [feature] = result["features"]
    as_demo = {name: run["settings"].get(name) for name in _SETTINGS} == _SETTINGS
    pushed = (feature["method"], feature["unit"]) == ("add", "max_multiple")
    return result if as_demo and pushed and not result["stopped"] else None


def _count(result: Resource, which: str, words: list[str]) -> int:
    text = str(result[which]["text"]).casefold()
    return sum(text.count(word) for word in words)


def metric(result: Resource, key: str) -> float | None:
    """One measured figure of the comparison."""
    return next((item["value"] for item in result["metrics"] if item["key"] == key), None)
