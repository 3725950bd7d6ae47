"""Finding and mending drift between rows and files, in both directions.

Nothing that is not known for certain is deleted: it is moved to ``lost+found`` below the data
folder. What an unfinished job may be writing is left alone.
"""

from app.services.reconciliation.at_start import count_drift, drift_file, list_drift_at_start
from app.services.reconciliation.finding import Finding
from app.services.reconciliation.of_a_job import clear_after
from app.services.reconciliation.report import find_drift, repair
from app.services.reconciliation.suspects import condemn_damaged

__all__ = [
    "Finding",
    "clear_after",
    "condemn_damaged",
    "count_drift",
    "drift_file",
    "find_drift",
    "list_drift_at_start",
    "repair",
]
