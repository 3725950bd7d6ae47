"""What a process and its children use."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class ProcessFigures:
    """``memory_bytes``: resident memory of the process and all its descendants."""

    memory_bytes: int
    processes: int


def process_figures(pid: int) -> ProcessFigures | None:
    """Measure now; None when the process is gone."""
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    total = 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return ProcessFigures(memory_bytes=total, processes=len(family))
