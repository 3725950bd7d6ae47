"""What one check found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Outcome:
    """``advice`` says what to do; empty when nothing is to be done."""

    subject: str
    level: Level
    finding: str
    advice: str = ""


def ok(subject: str, finding: str) -> Outcome:
    return Outcome(subject, Level.OK, finding)


def warn(subject: str, finding: str, advice: str) -> Outcome:
    return Outcome(subject, Level.WARN, finding, advice)


def bad(subject: str, finding: str, advice: str) -> Outcome:
    return Outcome(subject, Level.FAIL, finding, advice)
