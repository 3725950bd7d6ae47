"""A model with a chat template is asked, and ends when somebody says so."""

import copy
import dataclasses

import pytest

from app.ml.errors import ModelFormatError, Stopped
from app.ml.language_models import LoadedModel
from app.ml.language_models.answering import answer
from tests.ml.conftest import never

QUESTION = [{"role": "user", "content": "The list of files is"}]


@pytest.fixture
def talker(glass: LoadedModel) -> LoadedModel:
    tokenizer = copy.deepcopy(glass.tokenizer)
    tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }}{% endfor %}"
    return dataclasses.replace(glass, tokenizer=tokenizer)


def test_the_same_question_has_the_same_answer(talker: LoadedModel) -> None:
    first, second = (answer(talker, QUESTION, 8, never) for _ in range(2))
    assert first == second
    ids = talker.tokenizer(first, add_special_tokens=False)["input_ids"]
    assert 1 <= len(ids) <= 10
    assert "list of files" not in first  # the question is not part of it


def test_a_question_longer_than_the_model_reads_keeps_its_end(talker: LoadedModel) -> None:
    long = [{"role": "user", "content": "word " * 500 + "The list of files is"}]
    assert answer(talker, long, 4, never)


def test_it_stops_between_two_tokens(talker: LoadedModel) -> None:
    calls = []

    def after_three() -> bool:
        calls.append(1)
        return len(calls) > 3

    with pytest.raises(Stopped):
        answer(talker, QUESTION, 100, after_three)
    assert len(calls) < 10


def test_a_model_without_a_template_cannot_be_asked(glass: LoadedModel) -> None:
    with pytest.raises(ModelFormatError, match="no chat template"):
        answer(glass, QUESTION, 4, never)
