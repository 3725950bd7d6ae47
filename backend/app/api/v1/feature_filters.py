"""What the table of features and its exports filter by."""

from typing import Annotated

from fastapi import Query
from pydantic import AliasChoices

RangeQuery = Annotated[
    list[str],
    Query(
        alias="range", max_length=40,
        description="column:from:to, bounds inclusive and optional; of every numeric column",
    ),
]  # fmt: skip
TagQuery = Annotated[list[str], Query(alias="tag", max_length=20, description="All must be there")]
FavoriteQuery = Annotated[
    bool | None, Query(validation_alias=AliasChoices("is_favorite", "isFavorite"))
]
