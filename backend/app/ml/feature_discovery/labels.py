"""Labels from evidence, without a language model: never a concept that nobody measured.

The first of these that holds gives the label: one word carries the activation; its tokens are of
one kind or share a beginning; a few words carry it together; the words after it agree; the tokens
that it promotes agree; its contexts share telling words. Otherwise there is none.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.ml.records import TokenEvidence

ONE_WORD_SHARE = 0.8
KIND_SHARE = 0.8
FEW_WORDS_SHARE = 0.5
MAX_WORDS = 3
NEXT_SHARE = 0.6
PROMOTED_SHARE = 0.5
MIN_CONTEXTS = 3
MIN_STEM = 4
MIN_WORD_CONTEXTS = 0.3
_WORD = re.compile(r"[^\W\d_]{3,}")
_MONTHS = frozenset(name.lower() for name in calendar.month_name if name)
_DAYS = frozenset(name.lower() for name in calendar.day_name)
_KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("digits", lambda t: t.strip().isdigit()),
    ("line breaks", lambda t: "\n" in t and not t.strip()),
    ("white space", lambda t: bool(t) and not t.strip()),
    ("punctuation", lambda t: bool(t.strip()) and not any(c.isalnum() for c in t)),
    ("months", lambda t: t.strip().lower() in _MONTHS),
    ("days of the week", lambda t: t.strip().lower() in _DAYS),
    ("words in capitals", lambda t: len(t.strip()) > 1 and t.strip().isupper()),
)


@dataclass(frozen=True)
class Label:
    """``source`` names the rule: token, kind, stem, tokens, next, promotes, words; or empty."""

    text: str = ""
    source: str = ""


@dataclass(frozen=True)
class Evidence:
    """What is known of one feature.

    Attributes:
        tokens: That it fires on, by activation mass.
        n_fires: All firings.
        following: The token after the strongest one, per context.
        promoted: Most promoted tokens, strongest first; empty where there is no lens.
        contexts: Gives the text of its strongest contexts; asked only if nothing else holds.
    """

    tokens: Sequence[TokenEvidence]
    n_fires: int
    following: Sequence[str] = ()
    promoted: Sequence[str] = ()
    contexts: Callable[[], Sequence[str]] = tuple


def make_label(evidence: Evidence, background: Callable[[str], float]) -> Label:
    """Return the label of a feature.

    Args:
        evidence: What was measured.
        background: Share of all contexts that hold a lower-case word.
    """
    if evidence.n_fires < MIN_CONTEXTS or not evidence.tokens:
        return Label()
    words = _by_word(evidence.tokens)
    return (
        _one_word(words)
        or _kind(evidence.tokens)
        or _stem(words)
        or _few_words(words)
        or _agreeing("before", "next", evidence.following, NEXT_SHARE)
        or _agreeing("promotes", "promotes", evidence.promoted, PROMOTED_SHARE)
        or _telling_words(evidence.contexts(), background)
        or Label()
    )


def quoted(token: str) -> str:
    """A token in quotation marks with its white space visible."""
    shown = token.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return f'"{shown}"'


def word_of(token: str) -> str:
    """What spellings that differ in case or surrounding space have in common."""
    return token.strip().lower() or token


def _by_word(tokens: Sequence[TokenEvidence]) -> list[tuple[str, float, str]]:
    """Words with their share of the mass and their most frequent spelling, largest first."""
    shares: dict[str, float] = defaultdict(float)
    spelling: dict[str, str] = {}
    for entry in tokens:
        shares[word_of(entry.token)] += entry.share
        spelling.setdefault(word_of(entry.token), entry.token)
    ranked = sorted(shares.items(), key=lambda pair: -pair[1])
    return [(word, share, spelling[word]) for word, share in ranked]


def _one_word(words: list[tuple[str, float, str]]) -> Label | None:
    _, share, spelling = words[0]
    return Label(f"token {quoted(spelling)}", "token") if share >= ONE_WORD_SHARE else None


def _kind(tokens: Sequence[TokenEvidence]) -> Label | None:
    for name, holds in _KINDS:
        if sum(entry.share for entry in tokens if holds(entry.token)) >= KIND_SHARE:
            return Label(name, "kind")
    return None


def _stem(words: list[tuple[str, float, str]]) -> Label | None:
    first = words[0][0]
    for length in range(len(first), MIN_STEM - 1, -1):
        stem = first[:length]
        sharing = [word for word, share, _ in words if word.startswith(stem)]
        share = sum(share for word, share, _ in words if word.startswith(stem))
        if len(sharing) > 1 and share >= KIND_SHARE:
            return Label(f"words in {quoted(stem)}", "stem")
    return None


def _few_words(words: list[tuple[str, float, str]]) -> Label | None:
    shown = words[:MAX_WORDS]
    if sum(share for _, share, _ in shown) < FEW_WORDS_SHARE:
        return None
    # Words that add little would only blur the label.
    telling = [spelling for _, share, spelling in shown if share >= shown[0][1] / 4]
    return Label("tokens " + ", ".join(map(quoted, telling)), "tokens")


def _agreeing(verb: str, source: str, tokens: Sequence[str], share: float) -> Label | None:
    if len(tokens) < MIN_CONTEXTS:
        return None
    counts = Counter(word_of(token) for token in tokens)
    word, count = counts.most_common(1)[0]
    if count < share * len(tokens) or not any(c.isalnum() for c in word):
        return None
    spelling = next(token for token in tokens if word_of(token) == word)
    return Label(f"{verb} {quoted(spelling)}", source)


def _telling_words(contexts: Sequence[str], background: Callable[[str], float]) -> Label | None:
    """Words that the contexts share and other texts do not, by TF-IDF."""
    if len(contexts) < MIN_CONTEXTS:
        return None
    counts = Counter(word for text in contexts for word in context_words(text))
    scored = []
    for word, count in counts.items():
        share, usual = count / len(contexts), background(word)
        if share >= MIN_WORD_CONTEXTS and count >= MIN_CONTEXTS and share > 3 * usual:
            scored.append((share * (share / max(usual, 1e-4)) ** 0.5, word))
    if not scored:
        return None
    best = [word for _, word in sorted(scored, reverse=True)[:4]]
    return Label("near " + ", ".join(map(quoted, best)), "words")


def context_words(text: str) -> set[str]:
    """The distinct lower-case words of three letters or more."""
    return {word.lower() for word in _WORD.findall(text)}
