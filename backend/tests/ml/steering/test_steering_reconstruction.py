"""A dictionary's output in the place of the activations, by hand, and what it alone does."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.ml.errors import SteeringInvalid
from app.ml.language_models import LoadedModel, resolve_hook_point
from app.ml.language_models.forward import edit_at
from app.ml.sae_training import load_sae
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.decoding import BatchDecoder
from app.ml.steering.evidence import Evidence
from app.ml.steering.hooks import steering_hooks
from app.ml.steering.places import ForwardPass
from app.ml.steering.reconstruction import replacements_of
from app.ml.steering.records import TokenEvent
from app.ml.steering.rows import RowPlan
from tests.ml.planted_behaviour import LAYER, planted_dictionary, planted_transcoder
from tests.ml.steering_edits import CONFIG, changed, direction

MODE = changed(mode="reconstruction")


def axes() -> SparseAutoencoder:
    """Latents 0 and 1 are the parts of the state along the first two axes, above zero."""
    encoder_DF = torch.zeros(128, 2)
    encoder_DF[0, 0] = encoder_DF[1, 1] = 1.0
    bias_D = torch.zeros(128)
    bias_D[5] = 0.25
    tensors = {
        "W_enc_DF": encoder_DF, "W_dec_FD": 2 * encoder_DF.T.contiguous(),
        "b_enc_F": torch.zeros(2), "b_dec_D": bias_D,
    }  # fmt: skip
    return SparseAutoencoder(tensors, "relu", None, centres_input=False)


def edited(
    dictionary: SparseAutoencoder, method: str, amount: float, **more: object
) -> FeatureEdit:
    edit = feature_edit(dictionary, 0, 2, "residual", amount, "activation", method=method)
    return replace(edit, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "amount", "unit", "along"),
    [
        # The state is 3 along the first axis, -4 along the second, 12 along the third: norm 13.
        # Latent 0 is 3 and writes twice as much; latent 1 is silent; 12 is the dictionary's error.
        (None, 0.0, "activation", 6.0),
        ("add", 5.0, "activation", 6.0 + 2 * 5.0),
        ("add", 0.5, "norm", 6.0 + 0.5 * 13.0),
        ("clamp", 1.0, "activation", 2.0),
        ("floor", 4.0, "activation", 8.0),
        ("scale", -1.0, "activation", -6.0),
        ("ablate", 0.0, "activation", 0.0),
        ("project", 0.5, "activation", 3.0),  # of the reconstruction, not of the state
    ],
)
def test_the_state_becomes_the_reconstruction_with_the_edit(
    glass: LoadedModel, method: str | None, amount: float, unit: str, along: float
) -> None:
    dictionary = axes()
    edits = [] if method is None else [edited(dictionary, method, amount, unit=unit)]
    replaced = replacements_of(edits or [edited(dictionary, "add", 0.0)])
    evidence = Evidence(1, glass.device)
    [hook] = steering_hooks(glass, [(*replaced, *edits)], evidence)
    hook.current = ForwardPass(((False, True),), 0, (0,), (0,))
    state = torch.zeros(1, 2, 128)
    state[0, :, 0], state[0, :, 1], state[0, :, 2] = 3.0, -4.0, 12.0
    found = hook.steer(state)
    assert found is not None
    assert torch.equal(found[0, 0], state[0, 0])
    expected = torch.zeros(128)
    expected[0], expected[5] = along, 0.25
    torch.testing.assert_close(found[0, 1], expected)
    count, moved, size, share = evidence.sums()[0].tolist()
    assert (count, moved) == (1, 1)
    assert size == pytest.approx((expected - state[0, 1]).norm().item())
    assert share == pytest.approx(size / 13)


@pytest.mark.parametrize("site", ["residual", "resid_mid", "z", "mlp"])
def test_the_third_text_is_the_models_with_the_replacement_alone(
    glass: LoadedModel, sae_path: Path, site: str
) -> None:
    """Its log-probabilities are those of a model whose states are replaced by hand."""
    edit = feature_edit(load_sae(sae_path), 7, 2, site, 12.0, "activation")
    result = generate_comparison(glass, [edit], MODE)
    third = result.reconstruction
    assert third is not None
    ids = [*result.prompt_ids, *(token.token_id for token in third.text.tokens)]
    dictionary, n_prompt = load_sae(sae_path), len(result.prompt_ids)

    def replace_all(value_BSD: torch.Tensor) -> torch.Tensor:
        changed_BSD = value_BSD.clone()
        changed_BSD[0, 1:] = dictionary(value_BSD[0, 1:])
        return changed_BSD

    point = resolve_hook_point(glass.model, 2, site)
    with torch.inference_mode(), edit_at(glass.model, point, replace_all):
        own = torch.log_softmax(glass.model(torch.tensor([ids])).logits[0], -1)
    with torch.inference_mode():
        base = torch.log_softmax(glass.model(torch.tensor([ids])).logits[0], -1)
    places = range(n_prompt - 1, len(ids) - 1)
    for token, place in zip(third.text.tokens, places, strict=True):
        assert token.logprob == pytest.approx(own[place, token.token_id].item(), abs=1e-4)
        assert token.base_logprob == pytest.approx(base[place, token.token_id].item(), abs=1e-4)
        kl = (own[place].exp() * (own[place] - base[place])).sum().item()
        assert token.kl == pytest.approx(kl, abs=1e-4)
    assert third.metrics.kl_mean > 0.01
    assert third.proof.positions_touched == n_prompt - 1 + CONFIG.max_new_tokens - 1
    assert third.metrics.n_tokens == CONFIG.max_new_tokens
    assert result.steered.text != third.text.text
    # The unsteered text is that of the other mode: nothing of it is replaced.
    plain = generate_comparison(glass, [edit], CONFIG)
    assert plain.unsteered.text == result.unsteered.text
    assert plain.reconstruction is None


def test_without_an_edit_both_steered_texts_are_the_same(
    glass: LoadedModel, sae_path: Path
) -> None:
    edit = feature_edit(sae_path, 7, 2, "residual", 1.0, method="scale")
    result = generate_comparison(glass, [edit], MODE)
    assert result.reconstruction is not None
    assert result.reconstruction.text.text == result.steered.text
    assert result.reconstruction.metrics.kl_mean == pytest.approx(
        result.steered_metrics.kl_mean, rel=1e-4
    )
    assert result.reconstruction.proof.mean_delta_norm == pytest.approx(
        result.proof.mean_delta_norm, rel=1e-4
    )


@pytest.mark.parametrize(
    ("method", "site"),
    [
        ("add", "residual"), ("clamp", "residual"), ("ablate", "residual"),
        ("project", "residual"), ("clamp", "resid_mid"), ("add", "z"),
    ],
)  # fmt: skip
def test_cache_no_cache_pieces_and_single_rows_agree(
    glass: LoadedModel, sae_path: Path, method: str, site: str
) -> None:
    edit = feature_edit(load_sae(sae_path), 7, 2, site, 4.0, "activation", method=method)
    config = replace(MODE, max_new_tokens=6)
    first, *others = [
        generate_comparison(glass, [edit], replace(config, **way))  # type: ignore[arg-type]
        for way in ({}, {"use_cache": False}, {"prefill_chunk": 2})
    ]
    assert first.reconstruction is not None
    for other in others:
        assert other.reconstruction is not None
        for one, two in (
            (first.steered, other.steered),
            (first.reconstruction.text, other.reconstruction.text),
        ):
            assert two.text == one.text
            kls = [token.kl for token in one.tokens]
            assert [token.kl for token in two.tokens] == pytest.approx(kls, abs=1e-4)
        assert other.proof.positions_touched == first.proof.positions_touched
    plan = RowPlan("alone", tuple(replacements_of([edit])), config.seed)
    alone = BatchDecoder(glass, config, [plan])
    alone.run()
    assert alone.generated(0).text == first.reconstruction.text.text


def test_a_transcoder_takes_the_place_of_its_mlp(planted_mlp: LoadedModel) -> None:
    transcoder = planted_transcoder(skip=True)
    edit = feature_edit(
        transcoder, 0, LAYER, "mlp_input", 3.0, "activation", target_hook_type="mlp"
    )
    seen: list[torch.Tensor] = []
    reads = resolve_hook_point(planted_mlp.model, LAYER, "mlp_input")
    writes = resolve_hook_point(planted_mlp.model, LAYER, "mlp")
    [hook] = steering_hooks(
        planted_mlp, [tuple(replacements_of([edit]))], Evidence(1, planted_mlp.device)
    )
    ids = torch.tensor([[3, 40, 50]])
    hook.current = ForwardPass(((False, True, True),), 0, (0,), (0,))

    def keep(value_BSD: torch.Tensor) -> None:
        assert hook.current is not None
        hook.current.captured[reads] = value_BSD
        seen.append(value_BSD)

    with (
        torch.inference_mode(),
        edit_at(planted_mlp.model, reads, keep),
        edit_at(planted_mlp.model, writes, hook.steer),
        edit_at(planted_mlp.model, writes, lambda value: seen.append(value)),
    ):
        planted_mlp.model(ids)
    torch.testing.assert_close(seen[1][0, 1:], transcoder(seen[0][0, 1:]), atol=1e-4, rtol=1e-4)


def test_the_third_text_is_streamed_too(glass: LoadedModel, sae_path: Path) -> None:
    events: list[TokenEvent] = []
    edit = feature_edit(sae_path, 7, 2, "residual", 4.0, "activation")
    result = generate_comparison(glass, [edit], MODE, on_tokens=events.extend)
    assert result.reconstruction is not None
    sent = [event.token_id for event in events if event.branch == "reconstruction"]
    assert sent == [token.token_id for token in result.reconstruction.text.tokens]
    assert {event.row for event in events if event.branch == "reconstruction"} == {2}


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        (lambda sae: [direction()], "not plain directions"),
        (lambda sae: [feature_edit(sae, 0, 1, "residual", 1.0, "activation", at_layer=2)],
         "residual of layer 2 has no reconstruction"),
        (lambda sae: [feature_edit(sae, 0, 2, "residual", 0.5, "kl")], "KL target"),
        (lambda sae: [feature_edit(sae, 0, 2, "residual", 1.0, "activation"),
                      feature_edit(planted_dictionary("topk"), 1, 2, "residual", 1.0, "norm")],
         "two dictionaries"),
    ],
)  # fmt: skip
def test_what_has_no_reconstruction_is_refused(glass: LoadedModel, edits, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SteeringInvalid, match=words):
        generate_comparison(glass, edits(planted_dictionary("relu")), MODE)


def test_hooks_are_gone_afterwards(glass: LoadedModel, sae_path: Path) -> None:
    ids = torch.arange(6)[None]
    clean = glass.model(ids).logits
    edit = feature_edit(sae_path, 7, 2, "residual", 4.0, "activation")
    answers = iter([False, False, True])
    assert generate_comparison(glass, [edit], MODE, should_stop=lambda: next(answers)).stopped
    assert torch.equal(glass.model(ids).logits, clean)
