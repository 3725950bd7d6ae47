"""A label says no more than what was measured."""

import pytest

from app.ml.feature_discovery.labels import Evidence, Label, make_label
from app.ml.records import TokenEvidence


def tokens(*shares: tuple[str, float]) -> list[TokenEvidence]:
    return [TokenEvidence(token, i, 10, 1.0, share, 0.5) for i, (token, share) in enumerate(shares)]


def rare(_: str) -> float:
    return 0.01


@pytest.mark.parametrize(
    ("shares", "label"),
    [
        ([(" healing", 0.85), (" water", 0.1)], Label('token " healing"', "token")),
        ([(" heal", 0.5), ("Heal", 0.4)], Label('token " heal"', "token")),
        ([("\n", 0.5), ("\n\n", 0.4)], Label("line breaks", "kind")),
        ([("1", 0.4), ("7", 0.3), (" 12", 0.2)], Label("digits", "kind")),
        ([(" March", 0.4), (" may", 0.3), ("June", 0.2)], Label("months", "kind")),
        ([(",", 0.5), (".", 0.4)], Label("punctuation", "kind")),
        ([(" heal", 0.4), (" healing", 0.3), (" healed", 0.2)], Label('words in "heal"', "stem")),
        ([("met", 0.3), (" iron", 0.3), ("a", 0.02)], Label('tokens "met", " iron"', "tokens")),
        ([("a", 0.1), ("b", 0.1), ("c", 0.1)], Label()),
        ([], Label()),
    ],
)
def test_tokens_come_first(shares: list[tuple[str, float]], label: Label) -> None:
    assert make_label(Evidence(tokens(*shares), n_fires=50), rare) == label


def test_then_what_follows_what_is_promoted_and_what_is_near() -> None:
    spread = tokens(("a", 0.1), ("b", 0.1), ("c", 0.1))
    evidence = Evidence(
        spread,
        50,
        following=[" York"] * 4 + [" x"],
        promoted=[" cat", "Cat", "cat", " dog"],
        contexts=lambda: ["apples and pears grow", "ripe apples fall", "some apples"],
    )
    assert make_label(evidence, rare) == Label('before " York"', "next")
    without = Evidence(spread, 50, [" y", " z", " x"], evidence.promoted, evidence.contexts)
    assert make_label(without, rare) == Label('promotes " cat"', "promotes")
    near = Evidence(spread, 50, contexts=evidence.contexts)
    assert make_label(near, rare) == Label('near "apples"', "words")
    assert make_label(near, lambda _: 0.5) == Label()


def test_two_firings_make_no_label() -> None:
    assert make_label(Evidence(tokens(("x", 1.0)), n_fires=2), rare) == Label()
