import pytest

from app.core.errors import ValidationFailed
from app.ml.configs import TrainingHyperparameters
from app.services.ml_settings import build_config, refuse, refuse_field


def test_a_good_configuration() -> None:
    assert build_config(TrainingHyperparameters, {"k": 8}).k == 8


def test_every_problem_is_named_with_its_place() -> None:
    with pytest.raises(ValidationFailed) as caught:
        build_config(TrainingHyperparameters, {"k": 0, "optimizer": "magic"}, prefix="h.")
    errors = caught.value.details["errors"]
    assert {error["field"] for error in errors} == {"h.k", "h.optimizer"}
    assert "h.k must be at least 1" in caught.value.message


def test_combinations_are_checked() -> None:
    with pytest.raises(ValidationFailed, match="k must not exceed the 16 latents"):
        build_config(TrainingHyperparameters, {"d_sae": 16, "k": 32})


def test_no_problem_is_no_refusal() -> None:
    refuse([])
    with pytest.raises(ValidationFailed, match="layer must be 3"):
        refuse_field("layer", "must be 3", 4)
