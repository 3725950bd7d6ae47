"""Pages of rows as services hand them to the API."""

from app.db.repositories.base import RowPage, SortOrder

__all__ = ["RowPage", "SortOrder"]
