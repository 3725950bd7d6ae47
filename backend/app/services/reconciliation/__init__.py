"""Finding and mending drift between rows and files, in both directions.

Nothing that is not known for certain is deleted: it is moved to ``lost+found`` below the data
folder. What an unfinished job may be writing is left alone.
"""

from app.services.reconciliation.finding import Finding
from app.services.reconciliation.report import find_drift, repair

__all__ = ["Finding", "find_drift", "repair"]
