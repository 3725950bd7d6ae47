"""Sampling, pieces of text and the measures of texts, by hand."""

import pytest
import torch

from app.ml.language_models import LoadedModel
from app.ml.steering import generate_comparison
from app.ml.steering.comparison import distinct_2, first_divergence, repeated_3, word_overlap
from app.ml.steering.prompts import encode_prompt
from app.ml.steering.sampling import Sampler, penalise, pick, sampling_probabilities
from app.ml.steering.text_pieces import TextPieces
from tests.ml.steering_edits import changed, direction


def test_pieces_of_text_add_up(glass: LoadedModel) -> None:
    ids = glass.tokenizer("Café – naïve, “quoted” 😀 end").input_ids
    pieces = TextPieces(glass.tokenizer, ids[:1])
    joined = "".join(pieces.add(i) for i in ids[1:])
    whole = glass.tokenizer.decode(ids)
    assert glass.tokenizer.decode(ids[:1]) + joined == whole
    assert pieces.text == joined


def test_sampling_rules() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, 3.0])
    plain = sampling_probabilities(logits, changed(temperature=1.0))
    torch.testing.assert_close(plain, torch.softmax(logits.double(), 0))
    two = sampling_probabilities(logits, changed(temperature=1.0, top_k=2))
    assert (two > 0).tolist() == [False, False, True, True]
    # The likeliest alone has 0.64, with the next 0.88: both are needed for 0.7.
    nucleus = sampling_probabilities(logits, changed(temperature=1.0, top_p=0.7))
    assert (nucleus > 0).tolist() == [False, False, True, True]
    assert nucleus.sum().item() == pytest.approx(1)
    assert pick(torch.tensor([0.2, 0.0, 0.8, 0.0]).double(), 0.1) == 0
    assert pick(torch.tensor([0.2, 0.0, 0.8, 0.0]).double(), 0.2) == 2
    assert pick(torch.tensor([0.2, 0.0, 0.8, 0.0]).double(), 1.0) == 2
    assert penalise(torch.tensor([2.0, -2.0, 1.0]), [0, 1, 1], 2.0).tolist() == [1.0, -4.0, 1.0]
    assert Sampler(changed(temperature=0.0, repetition_penalty=3.0)).choose(logits, [3]) == 2


def test_text_measures_by_hand() -> None:
    assert word_overlap("The cat sat", "the dog sat.") == pytest.approx(2 / 4)
    assert word_overlap("", "...") == 1
    assert distinct_2([1, 2, 1, 2]) == pytest.approx(2 / 3)
    assert distinct_2([1]) == 1
    assert repeated_3([1, 2, 3, 1, 2, 3, 1]) == pytest.approx(1 - 3 / 5)
    assert repeated_3([1, 2]) == 0
    assert first_divergence([1, 2, 3], [1, 5, 3]) == 1
    assert first_divergence([1, 2], [1, 2, 3]) == 2
    assert first_divergence([1], [1]) is None


def test_a_loop_without_spaces_is_a_loop(glass: LoadedModel) -> None:
    """Too strong a direction repeats one piece of a word: one word, and yet a loop."""
    config = changed(temperature=0.0, max_new_tokens=40)
    result = generate_comparison(glass, [direction(3, coefficient=400.0)], config)
    assert " " not in result.steered.text.strip()
    assert result.steered_metrics.repeated_3 > 0.8
    assert result.steered_metrics.distinct_2 < 0.2 < result.unsteered_metrics.distinct_2
    assert any("repeats itself" in warning for warning in result.warnings)


def test_a_chat_template_wraps_the_prompt(glass: LoadedModel) -> None:
    template = "{% for m in messages %}<bos>{{ m.content }}{% endfor %}<eos>"
    glass.tokenizer.chat_template = template
    try:
        ids = encode_prompt(glass, changed(use_chat_template=True))
        both = encode_prompt(glass, changed(use_chat_template=True, system_prompt="Be kind."))
        result = generate_comparison(glass, [direction()], changed(use_chat_template=True))
    finally:
        glass.tokenizer.chat_template = None
    assert (ids[0], ids[-1]) == (2, 3)
    assert both.count(2) == 2
    # Shown as tokens, the template's own marks among them and left alone.
    assert result.prompt_ids == ids
    assert (result.prompt_steered[0], result.prompt_steered[-1]) == (False, False)
    assert all(result.prompt_steered[1:-1])
