"""A steering job's task on a real model: what it answers, sends, keeps, and what is exported."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import gguf
import numpy as np
import pytest
import torch
from safetensors.numpy import load
from safetensors.torch import save_file
from transformers import OPTConfig, OPTForCausalLM

from app.core.config import Settings
from app.core.enums import JobAction
from app.core.paths import model_dir
from app.db.models import SteeringRun
from app.ml.configs import SteeringConfig
from app.ml.errors import NoEffect
from app.ml.language_models import import_language_model
from app.schemas.events import Event, SteeringStarted, SteeringTokens
from app.schemas.steering import SteeringResult
from app.services import steering_export, steering_runs, steering_service
from app.services.job_waiting import JobCancelled
from app.services.steering_export import NotExportable, control_vectors, directions_of
from app.services.steering_runs import _ADDED_LATER, find_differences, fingerprint
from app.workers.context import JobContext, JobInterrupted, JobOutcome
from app.workers.model_cache import ModelCache
from app.workers.tasks.steering import handle

GLASS = Path(__file__).parents[1] / "data" / "glass-en"
WIDTH, N_LATENTS = 128, 16


class Rows:
    """Takes the one row that a run leaves."""

    def __init__(self) -> None:
        self.run: SteeringRun | None = None

    def merge(self, run: SteeringRun) -> None:
        self.run = run


class Context:
    """A job's context without a database and a broker."""

    def __init__(self, root: Path, payload: dict[str, Any], stop_after: int | None = None) -> None:
        self.payload, self.data_root, self.job_id = payload, root, uuid4()
        self.settings = SimpleNamespace(device="cpu")
        self.events: list[Event] = []
        self.rows = Rows()
        self._stop_after = stop_after

    def report(self, *_: object, **__: object) -> None:
        pass

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def next_seq(self) -> int:
        return len(self.events) + 1

    def stop_requested(self) -> JobAction | None:
        n_steps = sum(isinstance(event, SteeringTokens) for event in self.events)
        wants_stop = self._stop_after is not None and n_steps >= self._stop_after
        return JobAction.CANCEL if wants_stop else None

    def raise_if_stopped(self) -> None:
        if (action := self.stop_requested()) is not None:
            raise JobInterrupted(action)

    def transaction(self, work: Callable[[Any], None]) -> None:
        work(self.rows)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a model and a dictionary of random unit directions."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(GLASS, folder / model_dir(UUID(int=1)))
    lay_out_dictionary_files(folder)
    return folder


def lay_out_dictionary_files(folder: Path, width: int = WIDTH) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(N_LATENTS, width, generator=generator), dim=1)
    sae = folder / "sae"
    sae.mkdir(exist_ok=True)
    tensors = {
        "W_enc_DF": rows.T.contiguous(), "W_dec_FD": rows, "b_enc_F": torch.zeros(N_LATENTS),
        "b_dec_D": torch.zeros(width),
    }  # fmt: skip
    save_file(tensors, sae / "sae.safetensors")
    (sae / "metadata.json").write_text(json.dumps({"activation": "relu", "k": None}))


def edit(index: int, **values: Any) -> dict[str, Any]:
    return {
        "id": index + 100, "neuron_index": index, "name": None, "coefficient": 20.0,
        "unit": "activation", "method": "add", "only_active": False, "max_activation": 5.0,
        "layer": 2, "at_layer": 2, "hook_type": "residual", "at_hook_type": "residual",
        "sae_path": "sae",
    } | values  # fmt: skip


def payload(*edits: dict[str, Any], **settings: Any) -> dict[str, Any]:
    config = SteeringConfig(prompt="Alice was beginning to", max_new_tokens=12, seed=3, **settings)
    return {
        "model_id": str(UUID(int=1)),
        "memory_bytes": 0,
        "config": config.to_dict(),
        "edits": list(edits) or [edit(3)],
    }


CACHE = ModelCache(10**9)


def run(
    root: Path, asked: dict[str, Any], stop_after: int | None = None
) -> tuple[JobOutcome, Context, SteeringRun]:
    context = Context(root, asked, stop_after)
    outcome = handle(cast(JobContext, context), CACHE)
    assert context.rows.run is not None
    # As PostgreSQL would give it back.
    kept = context.rows.run
    kept.result = json.loads(json.dumps(kept.result))
    return outcome, context, kept


def test_the_answer_has_the_documented_shape(root: Path) -> None:
    outcome, context, _ = run(root, payload(edit(3), edit(4, method="clamp", coefficient=9.0)))
    assert outcome.state == "succeeded"
    result = SteeringResult(job_id=context.job_id, **(outcome.result or {}))
    first, second = result.features
    assert first.strength_in_activation_units == 20
    assert first.strength_in_max_multiples == 4
    assert second.achieved_max == pytest.approx(9, rel=0.3)
    assert result.proof.first_differing_logit is not None
    assert result.proof.positions_changed > 0
    assert all(metric.definition for metric in result.metrics)
    keys = {metric.key for metric in result.metrics}
    assert {"kl_p50", "repeated_3_steered", "promoted_share_steered", "first_divergence"} <= keys
    assert result.prompt_tokens[0].steered is False
    assert result.diff[-1].steered[1] == len(result.steered_output.tokens)
    assert result.environment.dictionaries != "gone"
    assert len(result.environment.weights) == 16
    assert not any("similarity was left out" in warning for warning in result.warnings)


def test_an_empty_text_is_not_taken_for_a_missing_program(root: Path) -> None:
    whole, _, _ = run(root, payload())
    first = (whole.result or {})["steered_output"]["text"][0]
    cut, _, _ = run(root, payload(stop=(first,)))
    assert cut.result is not None
    assert cut.result["steered_output"]["text"] == ""
    [note] = cut.result["notes"]
    assert "one of the texts is empty" in note


def test_tokens_are_sent_as_deltas(root: Path) -> None:
    outcome, context, _ = run(root, payload())
    started, *steps = context.events
    assert isinstance(started, SteeringStarted)
    assert started.rooms() == [f"job:{context.job_id}"]
    assert sum(token.steered for token in started.data.prompt_tokens) > 0
    result = SteeringResult(job_id=context.job_id, **(outcome.result or {}))
    for branch, output in (
        ("unsteered", result.unsteered_output),
        ("steered", result.steered_output),
    ):
        sent = [
            token
            for event in steps
            if isinstance(event, SteeringTokens)
            for token in event.data.tokens
            if token.branch == branch
        ]
        assert "".join(token.text for token in sent) == output.text
        assert [token.index for token in sent] == list(range(12))
        assert [token.kl for token in sent] == [token.kl for token in output.tokens]
        assert [t.read_activations for t in sent[1:]] == [t.activations for t in output.tokens[:-1]]


def test_a_cancelled_run_keeps_the_text_so_far(root: Path) -> None:
    whole, _, _ = run(root, payload())
    outcome, _, kept = run(root, payload(), stop_after=4)
    assert outcome.state == "cancelled"
    assert outcome.result is not None
    assert whole.result is not None
    partial = outcome.result["steered_output"]["tokens"]
    assert [t["token_id"] for t in partial] == [
        t["token_id"] for t in whole.result["steered_output"]["tokens"][:4]
    ]
    assert outcome.result["stopped"]
    assert outcome.result["steered_output"]["ended"] == "stopped"
    assert kept.result["stopped"]


def test_a_cancelled_run_is_repeated_as_far_as_it_came(root: Path) -> None:
    (one, _, _), (two, _, _) = run(root, payload(), stop_after=4), run(root, payload())
    cut, whole = (SteeringResult(job_id=uuid4(), **(o.result or {})) for o in (one, two))
    assert find_differences(cut, whole) == []
    other = whole.model_copy(deep=True)
    other.steered_output.tokens[3].token_id += 1
    [difference] = find_differences(cut, other)
    assert (difference.branch, difference.index) == ("steered", 3)
    # The other way round something is missing.
    assert [d.index for d in find_differences(whole, cut)] == [4, 4]


def test_a_replay_that_was_cancelled_says_nothing_about_the_texts(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, kept = run(root, payload())
    cut, _, _ = run(root, payload(), stop_after=4)
    answer = SteeringResult(job_id=uuid4(), **(cut.result or {}))
    monkeypatch.setattr(steering_runs, "require_run", lambda *_: kept)
    monkeypatch.setattr(steering_service, "check_files", lambda *_: None)
    monkeypatch.setattr(steering_service, "run_payload", lambda *_: answer)
    with pytest.raises(JobCancelled, match="replay once more"):
        steering_runs.replay(cast(Any, None), settings, kept.id, lambda: False)


def test_a_run_cancelled_before_its_first_token_is_just_cancelled(root: Path) -> None:
    context = Context(root, payload(), stop_after=0)
    with pytest.raises(JobInterrupted):
        handle(cast(JobContext, context), CACHE)
    assert context.rows.run is None


def test_the_same_request_gives_the_same_fingerprint_and_text(root: Path) -> None:
    (one, _, first), (two, _, second) = run(root, payload()), run(root, payload())
    assert first.fingerprint == second.fingerprint
    then, now = (SteeringResult(job_id=uuid4(), **(o.result or {})) for o in (one, two))
    assert find_differences(then, now) == []
    other, _, third = run(root, payload(edit(3, coefficient=-20.0)))
    assert third.fingerprint != first.fingerprint
    [difference] = find_differences(then, SteeringResult(job_id=uuid4(), **(other.result or {})))
    assert difference.branch == "steered"
    assert difference.then != difference.now
    other_weights = first.environment | {"weights": "0" * 16}
    assert fingerprint(payload(), other_weights) != first.fingerprint
    renamed = payload(edit(3, name="mine", id=7))
    assert fingerprint(renamed, first.environment) == first.fingerprint
    # A run of a version that knew no window has the id that it had then.
    earlier = payload()
    earlier["config"] = {k: v for k, v in earlier["config"].items() if k not in _ADDED_LATER}
    full = payload(window=(), token_ids=(), mode="delta")
    assert fingerprint(earlier, first.environment) == fingerprint(full, first.environment)
    limited = payload(window=(2, 3))
    assert fingerprint(limited, first.environment) != first.fingerprint


def conditional(*edits: dict[str, Any], threshold: float = 0.0, **settings: Any) -> dict[str, Any]:
    condition = {
        "id": 105, "neuron_index": 5, "name": "five", "threshold": threshold, "layer": 1,
        "hook_type": "residual", "sae_path": "sae",
    }  # fmt: skip
    return payload(*edits, **settings) | {"condition": condition}


def test_a_condition_is_answered_repeated_and_counted(root: Path) -> None:
    one, context, first = run(root, conditional(threshold=2.0))
    result = SteeringResult(job_id=context.job_id, **(one.result or {}))
    condition = result.condition
    assert condition is not None
    assert (condition.feature_id, condition.layer, condition.threshold) == (105, 1, 2.0)
    assert 0 < condition.positions_met < condition.positions_read
    assert result.proof.positions_touched == condition.positions_met
    steered = sum(token.steered for token in result.prompt_tokens)
    assert steered == result.proof.prompt_positions_touched
    assert (condition.largest_activation or 0) > 2.0
    two, _, second = run(root, first.payload)
    assert second.fingerprint == first.fingerprint
    assert find_differences(result, SteeringResult(job_id=uuid4(), **(two.result or {}))) == []
    _, _, lower = run(root, conditional(threshold=1.0))
    assert lower.fingerprint != first.fingerprint
    named = first.payload | {"condition": first.payload["condition"] | {"name": "x", "id": 1}}
    assert fingerprint(named, first.environment) == first.fingerprint
    with pytest.raises(NoEffect, match="at most over the"):
        run(root, conditional(threshold=1e4))
    for file_format in ("gguf", "python"):
        with pytest.raises(NotExportable, match="only where feature 5 fires"):
            exported(first, file_format)
    assert set(load(exported(first, "safetensors"))) == {"direction.0"}


def test_reconstruction_mode_shows_what_the_dictionary_alone_does(root: Path) -> None:
    one, context, kept = run(root, payload(mode="reconstruction"))
    result = SteeringResult(job_id=context.job_id, **(one.result or {}))
    third = result.reconstruction
    assert (result.mode, third is not None) == ("reconstruction", True)
    assert third is not None
    assert len(third.output.tokens) == 12
    own = {metric.key for metric in result.metrics if not metric.key.endswith("_unsteered")}
    assert {metric.key.replace("_reconstruction", "_steered") for metric in third.metrics} == own
    kl = next(metric.value for metric in third.metrics if metric.key == "kl_mean")
    assert kl == pytest.approx(np.mean([token.kl for token in third.output.tokens]))
    assert third.proof.prompt_positions_touched == result.proof.prompt_positions_touched > 0
    sent = [
        token.text
        for event in context.events
        if isinstance(event, SteeringTokens)
        for token in event.data.tokens
        if token.branch == "reconstruction"
    ]
    assert sent == [token.text for token in third.output.tokens]  # the text has no special tokens
    two, _, again = run(root, kept.payload)
    now = SteeringResult(job_id=uuid4(), **(two.result or {}))
    assert again.fingerprint == kept.fingerprint
    assert find_differences(result, now) == []
    other = now.model_copy(deep=True)
    assert other.reconstruction is not None
    other.reconstruction.output.tokens[4].token_id += 1
    [difference] = find_differences(result, other)
    assert (difference.branch, difference.index) == ("reconstruction", 4)
    for file_format in ("gguf", "python"):
        with pytest.raises(NotExportable, match="reconstruction"):
            exported(kept, file_format)


def exported(kept: SteeringRun, file_format: str) -> bytes:
    make = steering_export._FORMATS[file_format][0]
    return make(kept)


def test_vectors_for_other_programs(root: Path, tmp_path: Path) -> None:
    _, _, kept = run(root, payload(edit(3), edit(4, unit="max_multiple", coefficient=-1.0)))
    three, four = directions_of(kept)
    expected = 20 * three - 5 * four
    np.testing.assert_allclose(control_vectors(kept)[2], expected, rtol=1e-5)
    tensors = load(exported(kept, "safetensors"))
    np.testing.assert_allclose(tensors["control.2"], expected, rtol=1e-5)
    np.testing.assert_array_equal(tensors["direction.0"], three)
    path = tmp_path / "vector.gguf"
    path.write_bytes(exported(kept, "gguf"))
    reader = gguf.GGUFReader(path)
    [tensor] = reader.tensors
    assert tensor.name == "direction.2"
    np.testing.assert_allclose(tensor.data, expected, rtol=1e-5)
    assert reader.fields["general.architecture"].contents() == "controlvector"
    assert reader.fields["controlvector.model_hint"].contents() == "llama"


def test_what_a_format_cannot_say_is_refused(root: Path) -> None:
    _, _, clamped = run(root, payload(edit(3, method="clamp", coefficient=9.0)))
    for file_format in ("gguf", "python"):
        with pytest.raises(NotExportable, match="JSON"):
            exported(clamped, file_format)
    assert "control.2" not in load(exported(clamped, "safetensors"))
    _, _, low = run(root, payload(edit(3, at_layer=0)))
    with pytest.raises(NotExportable, match="block 0"):
        exported(low, "gguf")
    reasons = {"z": "as many numbers as the heads", "resid_mid": "still reads"}
    for site, reason in reasons.items():
        _, _, inside = run(root, payload(edit(3, hook_type=site, at_hook_type=site)))
        with pytest.raises(NotExportable, match=reason):
            exported(inside, "gguf")
        assert set(load(exported(inside, "safetensors"))) == {"direction.0"}


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"steer_prompt": False}, "the generated text only"),
        ({"steer_generated": False}, "the prompt only"),
        ({"window": (2, 3)}, "some positions only"),
        ({"positions": (2,), "token_ids": ()}, "some positions only"),
    ],
)
def test_a_run_of_some_tokens_is_no_control_vector(
    root: Path, limit: dict[str, Any], words: str
) -> None:
    """It would act everywhere and write another text; as conditions, which are refused too."""
    _, _, kept = run(root, payload(**limit))
    with pytest.raises(NotExportable, match=words):
        exported(kept, "gguf")
    assert set(load(exported(kept, "safetensors"))) == {"direction.0"}
    assert exported(kept, "python")


def test_a_run_that_names_no_place_is_one_at_the_dictionarys_own(root: Path) -> None:
    """As runs were saved before a place could be named: they must still be replayed."""
    now, _, _ = run(root, payload(edit(3)))
    before = edit(3)
    del before["at_hook_type"]
    then, _, kept = run(root, payload(before))
    assert now.result is not None
    assert then.result is not None
    assert then.result["steered_output"] == now.result["steered_output"]
    assert 2 in control_vectors(kept)


PROGRAMS: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([edit(3), edit(4, unit="norm_fraction", coefficient=0.2, at_layer=1)], {}),
    ([edit(3, method="project", coefficient=0.0), edit(5)], {"temperature": 0.0}),
    ([edit(3)], {"top_k": 40, "top_p": 0.9, "repetition_penalty": 1.2}),
    ([edit(3)], {"window": [2, 12]}),
    ([edit(3, hook_type="z", at_hook_type="z", coefficient=3.0)], {}),
    ([edit(3, at_hook_type="resid_mid"), edit(4, hook_type="z", at_hook_type="z")], {}),
]
# One interpreter for all programs, because starting torch takes most of the time.
DRIVER = (
    "import runpy, sys\nfor name in sys.argv[2:]:\n    runpy.run_path(name, run_name='__main__')"
)


def test_the_exported_program_repeats_the_text_with_transformers_alone(
    root: Path, tmp_path: Path
) -> None:
    texts, names = [], []
    for number, (edits, values) in enumerate(PROGRAMS):
        outcome, _, kept = run(root, payload(*edits, **values))
        assert outcome.result is not None
        kept.id = uuid4()
        program = tmp_path / f"steer_{number}.py"
        program.write_bytes(exported(kept, "python"))
        assert "app." not in program.read_text()
        names.append(str(program))
        texts.append(outcome.result["steered_output"]["text"])
    # -I: neither this project's path nor its environment variables reach the programs.
    done = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER, str(GLASS), *names],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stderr.count("identical to the run") == len(PROGRAMS)
    assert done.stdout == "".join(f"{text}\n" for text in texts)


def test_the_exported_program_loads_the_model_as_the_run_had_it(tmp_path: Path) -> None:
    """The folder of a quantised model holds its weights unquantised: 4 bits are made on loading."""
    for number, bits in enumerate(("Q8", "Q4"), start=2):
        folder = tmp_path / model_dir(UUID(int=number))
        folder.parent.mkdir(parents=True, exist_ok=True)
        import_language_model(GLASS, folder, lambda _: None, quantization=bits)
        lay_out_dictionary_files(tmp_path)
        asked = payload() | {"model_id": str(UUID(int=number))}
        _, _, kept = run(tmp_path, asked)
        _, _, cancelled = run(tmp_path, asked, stop_after=5)
        for name, one in (("whole", kept), ("cancelled", cancelled)):
            (tmp_path / f"{name}.py").write_bytes(exported(one, "python"))
        done = subprocess.run(
            [sys.executable, "-I", "-c", DRIVER, str(folder), "whole.py", "cancelled.py"],
            capture_output=True, text=True, check=True, cwd=tmp_path,
        )  # fmt: skip
        assert done.stderr.count("identical to the run") == 2
    kept.facts["quantization"] = "Q2"
    with pytest.raises(NotExportable, match="2 bits"):
        exported(kept, "python")


def test_the_exported_program_steers_where_a_block_flattens_its_tokens(tmp_path: Path) -> None:
    """OPT's feed-forward part sees tokens without a batch."""
    config = {
        "vocab_size": 1024, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
        "ffn_dim": 32, "max_position_embeddings": 64, "word_embed_proj_dim": 16,
    }  # fmt: skip
    folder = tmp_path / model_dir(UUID(int=9))  # the cache knows the first
    torch.manual_seed(0)
    OPTForCausalLM(OPTConfig(**config)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(GLASS / name, folder)
    lay_out_dictionary_files(tmp_path, 16)
    names, share = [], {"unit": "norm_fraction", "coefficient": 2.0}
    for site in ("mlp", "resid_mid", "residual"):
        asked = payload(edit(3, layer=1, at_layer=1, hook_type=site, at_hook_type=site, **share))
        _, _, kept = run(tmp_path, asked | {"model_id": str(UUID(int=9))})
        names.append(f"steer_{site}.py")
        (tmp_path / names[-1]).write_bytes(exported(kept, "python"))
    done = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER, str(folder), *names],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stderr.count("identical to the run") == 3


def test_the_json_of_a_run_is_whole(root: Path, settings: Settings) -> None:
    outcome, _, kept = run(root, payload())
    kept.created_at = cast(Any, SimpleNamespace(isoformat=lambda: "2026-11-25"))
    document = json.loads(exported(kept, "json"))
    assert document["result"] == outcome.result
    assert len(document["directions"][0]) == WIDTH
