"""The real tasks of imports and exports, which die at a real point when their job says so."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from app.services.feature_exchange import export_jobs
from app.workers.context import JobContext, JobOutcome
from app.workers.tasks import feature_export, feature_import

PAGE = 4


def run_import(context: JobContext) -> JobOutcome:
    """Die with a part loaded and not committed."""
    with pytest.MonkeyPatch.context() as patch:
        if context.attempt == 1 and "dies_in" in context.payload:
            dying = _dying(feature_import.load_part, context.payload["dies_in"])
            patch.setattr(feature_import, "load_part", dying)
        return feature_import.run_feature_import(context)


def run_export(context: JobContext) -> JobOutcome:
    """Die with the files of a part written and not noted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_jobs, "PAGE", PAGE)
        if context.attempt == 1 and "dies_in" in context.payload:
            dying = _dying(export_jobs.write_part, context.payload["dies_in"])
            patch.setattr(export_jobs, "write_part", dying)
        return feature_export.run_feature_export(context)


def _dying(work: Callable[..., Any], part: int) -> Callable[..., Any]:
    calls = []

    def dying(*arguments: Any, **named: Any) -> Any:
        found = work(*arguments, **named)
        calls.append(part)
        if len(calls) == part:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return dying
