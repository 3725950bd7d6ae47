"""Declarative base, constraint names and the column types that every table shares."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Enum, MetaData, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING_CONVENTION = {
    "ix": "idx_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain dict here
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }
    # Server-side values come back with the statement, so a row stays readable after its session.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012


def enum_column(
    enum: type[StrEnum], name: str, *, length: int = 20, constraint: bool = True
) -> Enum:
    """A VARCHAR with a CHECK over the enum's values.

    Args:
        enum: The values that the column may hold.
        name: Suffix of the constraint; the full name is ``ck_<table>_<name>``.
        length: Width of the column.
        constraint: False where the set of values grows with the code (job kinds).
    """
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=constraint,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )


class UuidKey:
    """A random UUID key, known before the row is flushed."""

    id: Mapped[UUID] = mapped_column(
        primary_key=True,
        default=uuid4,
        server_default=text("gen_random_uuid()"),
        sort_order=-1,
    )


class CreatedAt:
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=1)


class Timestamps(CreatedAt):
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), sort_order=2
    )
