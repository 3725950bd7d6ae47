"""Text with and without a feature pushed."""

import itertools
from typing import Any

from app.cli.demo.api import Api, DemoFailed
from app.cli.demo.discover import label_words
from app.cli.demo.display import running_step

Resource = dict[str, Any]
DEFAULT_PROMPT = "The most important thing to know about this is"
_SETTINGS = {"max_new_tokens": 50, "temperature": 0.0, "repetition_penalty": 1.2}
# In multiples of the feature's largest measured activation, weakest first: more than is needed only
# makes the text worse. Each try costs seconds, so only a few features are tried.
_STRENGTHS = (0.6, 1.0)
_FEATURES_TRIED = 3
_RUNS_LOOKED_AT = 300


def steer(api: Api, training: Resource, features: list[Resource], prompt: str | None) -> Resource:
    """Generate both texts with the first feature and strength that bring its own words in.

    Where none does, the first pair of texts that differ is shown. What an earlier run of the demo
    generated with the same settings is read again.

    Raises:
        DemoFailed: no feature changed the text at any strength.
    """
    prompt = prompt or DEFAULT_PROMPT
    saved = _saved_runs(api, training["model_id"], prompt)
    different: Resource | None = None
    tries = list(itertools.product(_STRENGTHS, features[:_FEATURES_TRIED]))
    with running_step("Steering") as step:
        for number, (strength, feature) in enumerate(tries):
            words = label_words(feature)
            step.show(100 * number / len(tries), f"{feature['label']} × {strength:g}", None)
            result = _read_again(api, saved.get((feature["id"], strength)))
            result = result or _generate(api, training, feature, strength, prompt)
            if result["proof"]["first_divergence"] is None:
                continue
            different = different or result
            if _count(result, "steered_output", words) > _count(result, "unsteered_output", words):
                different = result
                break
        if different is None:
            raise DemoFailed("Steering: the text did not change at any strength tried.")
        step.figures = f"two texts in {different['seconds']:.1f} s"
    return different


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
