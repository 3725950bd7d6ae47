"""What is added to a hidden state, by hand, and that nothing else is done to it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.ml.configs import TrainingHyperparameters
from app.ml.interchange import read_foreign
from app.ml.language_models import LoadedModel, resolve_hook_point
from app.ml.language_models.forward import capture, hooked
from app.ml.sae_training import load_sae
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.folding import fold
from app.ml.sae_training.normalisation import Normalisation
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from app.ml.sae_training.weights import Weights
from app.ml.steering import FeatureEdit, feature_edit
from app.ml.steering.evidence import Evidence
from app.ml.steering.hooks import steering_hooks
from app.ml.steering.latents import Latent
from app.ml.steering.operations import ConstantDeltas, state_delta
from app.ml.steering.places import ForwardPass

# Two directions in a plane of three dimensions, the second neither of unit length nor at right
# angles to the first.
ONE, TWO = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([3.0, 4.0, 0.0])
STATE = torch.tensor([[2.0, 5.0, 7.0]])
DICTIONARY = SparseAutoencoder(
    {
        "W_enc_DF": torch.zeros(3, 2), "W_dec_FD": torch.stack([ONE, TWO]),
        "b_enc_F": torch.zeros(2), "b_dec_D": torch.zeros(3),
    },
    "relu", None,
)  # fmt: skip


def edit(direction: torch.Tensor, method: str, coefficient: float, **values: object) -> FeatureEdit:
    base = FeatureEdit(
        0, "residual", direction, coefficient, "activation", method, max_activation=10.0,
        latent=Latent(DICTIONARY, 0, 0, "residual"),
    )  # fmt: skip
    return replace(base, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "coefficient", "latent", "expected"),
    [
        ("clamp", 6.0, 2.0, 4.0),  # from 2 to 6
        ("clamp", 0.0, 2.0, -2.0),
        ("floor", 6.0, 2.0, 4.0),
        ("floor", 1.0, 2.0, 0.0),  # higher already
        ("scale", 3.0, 2.0, 4.0),  # 2 to 6
        ("scale", 1.0, 2.0, 0.0),
        ("ablate", 9.0, 2.0, -2.0),  # whatever the coefficient
    ],
)
@pytest.mark.parametrize("direction", [ONE, TWO])
def test_edits_that_read_move_the_latent_along_its_own_row(
    method: str, coefficient: float, latent: float, expected: float, direction: torch.Tensor
) -> None:
    asked = edit(direction, method, coefficient)
    found = state_delta([asked], STATE, torch.tensor([[latent]]))
    torch.testing.assert_close(found[0], expected * direction)
    silent = state_delta([replace(asked, only_active=True)], STATE, torch.zeros(1, 1))
    assert not silent.any()


def test_units_by_hand() -> None:
    plans = [
        [edit(TWO, "add", 2.0)],
        [edit(TWO, "add", 2.0, unit="max")],
        [edit(TWO, "add", 0.5, unit="norm")],
        [edit(TWO, "add", 0.5, unit="norm"), edit(ONE, "add", -1.0)],
        [edit(TWO, "add", 0.0)],
    ]
    every = torch.arange(5)
    made = ConstantDeltas(plans, 3, torch.device("cpu")).prepare(every, every.tolist())
    delta, norms = made.of(torch.full((5, 1), 8.0))
    torch.testing.assert_close(delta[0], 2 * TWO)
    torch.testing.assert_close(delta[1], 20 * TWO)
    torch.testing.assert_close(delta[2], 0.5 * 8 * TWO / 5)
    torch.testing.assert_close(delta[3], 0.5 * 8 * TWO / 5 - ONE)
    torch.testing.assert_close(norms, delta.norm(dim=1))
    assert (made.is_zero, made.has_zero) == (False, True)


def test_several_projections_remove_their_whole_span() -> None:
    both = [edit(ONE, "project", 0.0), edit(TWO, "project", 0.0)]
    nothing = torch.full((1, 2), torch.nan)
    # The span of both is the plane; one after the other would leave a part of it.
    torch.testing.assert_close(state_delta(both, STATE, nothing)[0], torch.tensor([-2.0, -5.0, 0]))
    alone = state_delta(both[1:], STATE, nothing[:, :1])
    torch.testing.assert_close(alone[0], -(STATE[0] @ TWO) / 25 * TWO)
    kept = [replace(entry, coefficient=1.0) for entry in both]
    torch.testing.assert_close(state_delta(kept, STATE, nothing), torch.zeros(1, 3))


def test_the_order_of_edits_means_nothing() -> None:
    edits = [edit(ONE, "clamp", 5.0), edit(TWO, "scale", -2.0), edit(ONE, "project", 0.5)]
    latents = torch.tensor([[1.0, 2.0, torch.nan]])
    found = state_delta(edits, STATE, latents)
    turned = state_delta(edits[::-1], STATE, latents.flip(1))
    torch.testing.assert_close(found, turned)


@pytest.mark.parametrize("method", ["add", "clamp", "ablate", "project"])
def test_only_the_delta_is_added_and_only_where_it_should(
    glass: LoadedModel, sae_path: Path, method: str
) -> None:
    """The dictionary's error stays: other states, and what the delta leaves, keep every bit."""
    ids = torch.tensor([[3, 40, 50, 60, 70]])
    point = resolve_hook_point(glass.model, 2, "residual")
    before = capture(glass, ids, [point])[point]
    dictionary = load_sae(sae_path)
    feature = int(dictionary.encode(before[0, 2:3])[0].argmax())
    asked = feature_edit(sae_path, feature, 2, "residual", 3.0, "activation", method=method)
    evidence = Evidence(1, glass.device)
    [hook] = steering_hooks(glass, [(asked,)], evidence)
    hook.current = ForwardPass(((False, False, True, False, True),), 0, (0,), (0,))
    with hooked(glass.model, [(point, hook.steer)]):
        after = capture(glass, ids, [point])[point]
    assert torch.equal(after[0, [0, 1, 3]], before[0, [0, 1, 3]])
    added = (after - before)[0, 2]
    row = dictionary.W_dec_FD[feature].detach()
    along = (added @ row) / (row @ row)
    torch.testing.assert_close(added, along * row, atol=1e-4, rtol=1e-4)
    n_values, _, size, _ = evidence.sums()[0].tolist()
    assert n_values == 2
    assert size == pytest.approx((after - before).norm(dim=2).sum().item(), rel=1e-3)


def test_directions_are_added_in_float32(glass: LoadedModel) -> None:
    """A bfloat16 state is raised to float32 for the sum and rounded once."""
    drawn = torch.randn(128, generator=torch.Generator().manual_seed(2))
    asked = FeatureEdit(2, "residual", drawn, 0.37, "activation")
    [hook] = steering_hooks(glass, [(asked,)], Evidence(1, glass.device))
    hook.current = ForwardPass(((True,),), 0, (0,), (0,))
    state = torch.randn(1, 1, 128, generator=torch.Generator().manual_seed(3)).bfloat16()
    found = hook.steer(state)
    assert found is not None
    assert found.dtype == torch.bfloat16
    assert torch.equal(found[0, 0], (state[0, 0].float() + 0.37 * drawn).bfloat16())


def clamp_in_the_stream(sae: SparseAutoencoder, state_D: torch.Tensor) -> torch.Tensor:
    """Return the delta that sets latent 0 to 8."""
    clamp = feature_edit(sae, 0, 0, "residual", 8.0, "activation", method="clamp")
    latents_NF = sae.encode(state_D[None])
    return state_delta([clamp], state_D[None], latents_NF[:, :1])[0]


def test_a_dictionary_of_normalised_activations_acts_in_units_of_the_stream() -> None:
    """By hand: (5, 1) becomes (2, 0), latent 2 there, 4 here; from 4 to 8 is 4 times (0.6, 0.8)."""
    config = TrainingHyperparameters.from_dict({"d_sae": 2, "k": 1, "activation": "relu"})
    weights = Weights(architecture_of("sparse", config, 2, 2))
    for parameter in weights.parameters():
        parameter.zero_()
    weights.W_enc_FD[0] = torch.tensor([1.0, 0.0])
    weights.W_dec_FD[0] = torch.tensor([0.6, 0.8])
    half = Normalisation(torch.ones(2), 0.5)
    form = fold(weights, half, half, 1)
    sae = SparseAutoencoder(form.tensors, form.activation, form.k, centres_input=form.centres_input)
    delta = clamp_in_the_stream(sae, torch.tensor([5.0, 1.0]))
    torch.testing.assert_close(delta, torch.tensor([2.4, 3.2]))


def test_an_imported_scale_of_the_input_is_undone_before_it_steers(tmp_path: Path) -> None:
    """By hand: the dictionary reads (6, 2), so its latent is 6; two more of it are (1.2, 1.6) there
    and half of that in the stream, whose values were doubled for it."""
    tensors = {
        "W_enc": torch.tensor([[1.0], [0.0]]), "W_dec": torch.tensor([[0.6, 0.8]]),
        "b_enc": torch.zeros(1), "b_dec": torch.zeros(2),
    }  # fmt: skip
    save_file(tensors, tmp_path / "sae_weights.safetensors")
    config = {"architecture": "standard", "d_in": 2, "d_sae": 1,
              "normalize_activations": "expected_average_only_in",
              "metadata": {"hook_name": "blocks.0.hook_resid_post"}}  # fmt: skip
    (tmp_path / "cfg.json").write_text(json.dumps(config))
    (tmp_path / "activation_scaler.json").write_text('{"scaling_factor": 2.0}')
    found = read_foreign(tmp_path)
    sae = SparseAutoencoder(
        found.tensors, found.activation, found.k, centres_input=found.centres_input
    )
    delta = clamp_in_the_stream(sae, torch.tensor([3.0, 1.0]))
    torch.testing.assert_close(delta, torch.tensor([0.6, 0.8]))
