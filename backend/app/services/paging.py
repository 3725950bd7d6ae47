"""Pages of rows as services hand them to the API, and what they can be sorted by."""

from app.db.repositories import activations, datasets, dictionaries, models, templates, trainings
from app.db.repositories.base import RowPage, SortOrder
from app.db.repositories.feature_pages import RELEVANCE
from app.db.repositories.feature_pages import SORT_COLUMNS as FEATURE_COLUMNS

# By the end of the operation's name.
SORT_CHOICES: dict[str, tuple[str, ...]] = {
    "datasets": tuple(datasets.SORT_COLUMNS),
    "models": tuple(models.SORT_COLUMNS),
    "activations": tuple(activations.SORT_COLUMNS),
    "trainings": tuple(trainings.SORT_COLUMNS),
    "saes": tuple(dictionaries.SORT_COLUMNS),
    "features": (*FEATURE_COLUMNS, RELEVANCE),
    "training_templates": templates.SORT_COLUMNS,
    "extraction_templates": templates.SORT_COLUMNS,
}

__all__ = ["SORT_CHOICES", "RowPage", "SortOrder"]
