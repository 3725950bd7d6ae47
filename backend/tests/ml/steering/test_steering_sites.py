"""Steering inside a block: at the stream between attention and MLP, and at the heads' outputs."""

from pathlib import Path
from typing import Any

import pytest
import torch

from app.ml.errors import HookPointNotFound, SteeringInvalid
from app.ml.language_models import LoadedModel, resolve_hook_point
from app.ml.language_models.forward import capture, hooked
from app.ml.sae_training import SparseAutoencoder, load_sae
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.evidence import Evidence
from app.ml.steering.hooks import hook_list, steering_hooks
from app.ml.steering.latents import Latent
from app.ml.steering.places import ForwardPass
from app.ml.steering.watching import Watcher
from tests.ml.model_families import IDS, random_model
from tests.ml.steering_edits import CONFIG, changed, direction

SITES = ("resid_mid", "z")
METHODS: dict[str, dict[str, Any]] = {
    "add": {"coefficient": 3.0},
    "share of the norm": {"coefficient": 0.5, "unit": "norm"},
    "clamp": {"method": "clamp", "coefficient": 2.0},
    "ablate": {"method": "ablate", "coefficient": 0.0},
    "project": {"method": "project", "coefficient": 0.0},
}
WAYS = {"whole": 6, "pieces of two": 2, "token by token": 1}


def dictionary(width: int) -> SparseAutoencoder:
    """A random one whose first latent nearly always fires."""
    random = torch.Generator().manual_seed(1)
    encoder_DF = torch.randn(width, 8, generator=random)
    tensors = {
        "W_enc_DF": encoder_DF, "W_dec_FD": torch.nn.functional.normalize(encoder_DF.T, dim=1),
        "b_enc_F": torch.full((8,), 1.0), "b_dec_D": torch.zeros(width),
    }  # fmt: skip
    return SparseAutoencoder(tensors, "relu", None)


def site_edit(site: str, width: int, values: dict[str, Any]) -> FeatureEdit:
    return feature_edit(dictionary(width), 0, 1, site, **{"unit": "activation", **values})


def read(loaded: LoadedModel, edit: FeatureEdit, piece: int, *, cached: bool) -> torch.Tensor:
    """Logits after two rows of six tokens, of which all but the first are steered."""
    mask = [False, True, True, True, True, True]
    evidence = Evidence(2, loaded.device)
    hooks = steering_hooks(loaded, [[edit]], evidence)
    cache = None
    with torch.no_grad(), hooked(loaded.model, hook_list(hooks, Watcher(loaded, []))):
        for start in range(0, 6, piece):
            here = slice(start if cached else 0, start + piece)
            rows = (tuple(mask[here]),) * 2
            for hook in hooks:
                hook.current = ForwardPass(rows, here.start, (0, 0), (0, 1))
            output = loaded.model(input_ids=IDS[:, here], past_key_values=cache, use_cache=cached)
            cache = output.past_key_values if cached else None
    found: torch.Tensor = output.logits[:, -1]
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "wide heads"])
def test_cache_no_cache_and_pieces_agree(family: str, site: str, method: str) -> None:
    loaded = random_model(family)
    width = 24 if (family, site) == ("wide heads", "z") else 16
    edit = site_edit(site, width, METHODS[method])
    whole = read(loaded, edit, 6, cached=False)
    for piece in WAYS.values():
        torch.testing.assert_close(read(loaded, edit, piece, cached=True), whole, atol=2e-6, rtol=0)
    last = read(loaded, edit, 1, cached=False)
    torch.testing.assert_close(last, whole, atol=2e-6, rtol=0)
    with torch.no_grad():
        plain = loaded.model(input_ids=IDS).logits[:, -1]
    assert (whole - plain).abs().max() > 1e-4


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "wide heads"])
def test_the_latent_has_the_value_that_it_was_set_to(family: str, site: str) -> None:
    loaded = random_model(family)
    width = 24 if (family, site) == ("wide heads", "z") else 16
    sae = dictionary(width)
    unit_FD = sae.W_dec_FD
    orthogonal = SparseAutoencoder(
        {
            "W_enc_DF": unit_FD.T[:, :1].clone(), "W_dec_FD": unit_FD[:1].clone(),
            "b_enc_F": torch.full((1,), 10.0), "b_dec_D": torch.zeros(width),
        },
        "relu", None, centres_input=False,
    )  # fmt: skip
    edit = feature_edit(orthogonal, 0, 1, site, 12.5, "activation", method="clamp")
    hooks = steering_hooks(loaded, [[edit]], Evidence(2, loaded.device))
    watcher = Watcher(loaded, [Latent(orthogonal, 0, 1, site)])
    hooks[0].current = ForwardPass(((True,) * 6,) * 2, 0, (0, 0), (0, 1))
    with torch.no_grad(), hooked(loaded.model, hook_list(hooks, watcher)):
        loaded.model(input_ids=IDS)
    torch.testing.assert_close(watcher.values(2), torch.full((2, 1), 12.5), atol=1e-5, rtol=0)


@pytest.mark.parametrize("site", ["residual", "mlp", "attention", "mlp_input"])
@pytest.mark.parametrize("family", ["falcon", "falcon, in sequence", "gptj", "opt", "bloom"])
def test_what_is_watched_is_what_the_place_held(family: str, site: str) -> None:
    """Also where a block goes on to change that very tensor."""
    loaded, sae = random_model(family), dictionary(16)
    point = resolve_hook_point(loaded.model, 1, site)
    watcher = Watcher(loaded, [Latent(sae, 0, 1, site)])
    with torch.no_grad(), hooked(loaded.model, watcher.edits()):
        loaded.model(input_ids=IDS)
    held_BD = capture(loaded, IDS, [point])[point][:, -1]
    torch.testing.assert_close(watcher.values(2), sae.encode(held_BD)[:, :1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("site", SITES)
def test_a_text_is_steered_there_with_proof(glass: LoadedModel, sae_path: Path, site: str) -> None:
    share = direction(hook_type=site, unit="norm", coefficient=0.4)
    result = generate_comparison(glass, [share], CONFIG)
    assert result.proof.mean_delta_norm_ratio == pytest.approx(0.4, rel=1e-4)
    assert result.proof.first_differing_logit is not None
    assert result.steered.text != result.unsteered.text
    assert result.steered_metrics.promoted_share is not None
    again = generate_comparison(glass, [share], changed(use_cache=False))
    assert again.steered.text == result.steered.text
    nothing = generate_comparison(glass, [direction(hook_type=site, coefficient=0.0)], CONFIG)
    assert nothing.steered.text == nothing.unsteered.text
    assert nothing.proof.first_differing_logit is None
    clamped = feature_edit(load_sae(sae_path), 7, 2, site, 9.0, "activation", method="clamp")
    reached = generate_comparison(glass, [clamped], CONFIG)
    assert reached.proof.positions_changed == reached.proof.positions_touched > 0
    assert not reached.warnings


def test_a_share_of_the_norm_is_one_of_the_heads_outputs(glass: LoadedModel) -> None:
    """Not of the stream's, which is many times larger."""
    share = direction(hook_type="z", unit="norm", coefficient=0.5)
    result = generate_comparison(glass, [share], changed(steer_generated=False, max_new_tokens=1))
    ids = torch.tensor([result.prompt_ids])
    norms = {}
    for site in ("z", "residual"):
        point = resolve_hook_point(glass.model, 2, site)
        norms[site] = capture(glass, ids, [point])[point][0, 1:].norm(dim=1).mean().item()
    assert result.proof.mean_delta_norm == pytest.approx(0.5 * norms["z"], rel=1e-3)
    assert norms["residual"] > 2 * norms["z"]


def test_what_does_not_fit_a_site_is_refused(glass: LoadedModel, sae_path: Path) -> None:
    wide = random_model("wide heads")
    for site, width in (("z", 24), ("resid_mid", 16)):
        edit = FeatureEdit(1, site, torch.ones(20), 1.0, "activation")
        with pytest.raises(SteeringInvalid, match=f"{site} of this model needs \\({width},\\)"):
            steering_hooks(wide, [[edit]], Evidence(1, wide.device))
    parallel = random_model("neox, parallel")
    with pytest.raises(HookPointNotFound, match="side by side"):
        steering_hooks(
            parallel, [[site_edit("resid_mid", 16, METHODS["add"])]], Evidence(1, parallel.device)
        )
    for elsewhere in ({"at_hook_type": "resid_mid"}, {"at_layer": 1}):
        with pytest.raises(SteeringInvalid, match="only at layer 2, residual"):
            feature_edit(sae_path, 5, 2, "residual", 1.0, method="ablate", **elsewhere)  # type: ignore[arg-type]
    moved = feature_edit(sae_path, 7, 2, "residual", 9.0, "activation", at_hook_type="resid_mid")
    result = generate_comparison(glass, [moved], CONFIG)
    assert any("acts at layer 2 (resid_mid)" in warning for warning in result.warnings)
