"""The database's page: entity-relationship diagrams and columns, read off the SQLAlchemy models."""

from collections.abc import Iterable

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

import app.db.models  # noqa: F401 - declares the tables
from app.db.base import Base
from documentation.markdown import code, docstring_line, page, table

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
AREAS: dict[str, tuple[str, ...]] = {
    "Texts and models": ("datasets", "tokenizations", "models", "activations"),
    "Trainings": ("trainings", "training_metrics", "checkpoints"),
    "Features": (
        "features",
        "feature_activations",
        "feature_tokens",
        "feature_edits",
        "feature_counts",
    ),
    "Steering": ("steering_runs", "steering_sweeps"),
    "Jobs": ("jobs", "workflows", "idempotency_keys"),
    "Saved settings": ("extraction_templates", "training_templates", "steering_presets"),
}
# References that no foreign key watches over, with the reason (docs/decisions/0030).
UNWATCHED = {
    ("feature_activations", "feature_id"): "features",
    ("feature_tokens", "feature_id"): "features",
    ("feature_tokens", "training_id"): "trainings",
    ("feature_counts", "training_id"): "trainings",
}
INTRODUCTION = """
PostgreSQL holds every fact about the work; tensors and texts lie in files that rows point to.
Every table stands below, drawn by area, as the models in `backend/app/db/models` declare it.
Migrations lie in `backend/alembic`.

A solid line is a foreign key. A dashed one is a reference without a key:
[0030](../decisions/0030-contexts-are-packed.md) says why. `resource_id` of a job names a row of
the table that `resource_type` says; no line shows it.
"""


def type_name(column: Column) -> str:  # type: ignore[type-arg]
    return column.type.compile(dialect=DIALECT).replace(' COLLATE "C"', "").lower()


def diagram_type(column: Column) -> str:  # type: ignore[type-arg]
    """Return the type in one word, as Mermaid wants it."""
    name = type_name(column).split("(")[0].replace("[]", "_list")
    return name.replace("timestamp with time zone", "timestamptz").replace(" ", "_")


def target_of(column: Column) -> str | None:  # type: ignore[type-arg]
    keys = [key.column.table.name for key in column.foreign_keys]
    return keys[0] if keys else None


def relations(tables: Iterable[Table]) -> list[str]:
    """Return one line per reference: from the table that is pointed to, to the one that points."""
    lines = []
    for it in tables:
        for column in it.columns:
            watched = target_of(column)
            target = watched or UNWATCHED.get((it.name, column.name))
            if not target:
                continue
            one = "|o" if column.nullable else "||"
            many = "o|" if column.primary_key and len(it.primary_key) == 1 else "o{"
            line = "--" if watched else ".."
            lines.append(f"  {target} {one}{line}{many} {it.name} : {column.name}")
    return sorted(lines)


def box(it: Table) -> str:
    rows = []
    for column in it.columns:
        marks = [
            *(["PK"] if column.primary_key else []),
            *(["FK"] if column.foreign_keys else []),
        ]
        rows.append(f"    {diagram_type(column)} {column.name} {', '.join(marks)}".rstrip())
    return "\n".join([f"  {it.name} {{", *rows, "  }"])


def diagram(lines: Iterable[str]) -> str:
    return "\n".join(["```mermaid", "erDiagram", *lines, "```"])


def columns(it: Table) -> str:
    rows = []
    for column in it.columns:
        target = target_of(column)
        notes = [
            *(["primary key"] if column.primary_key else []),
            *([f"points to {target}"] if target else []),
            *(["may be empty"] if column.nullable else []),
        ]
        rows.append([code(column.name), code(type_name(column)), ", ".join(notes)])
    return table(("column", "type", ""), rows)


def area(title: str, names: tuple[str, ...]) -> list[str]:
    tables = [Base.metadata.tables[name] for name in names]
    told = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    parts = [f"## {title}", diagram([*map(box, tables), *relations(tables)])]
    for it in tables:
        about = docstring_line(told[it])
        parts += [f"### {it.name}", *([about] if about else []), columns(it)]
    return parts


def all_areas() -> dict[str, tuple[str, ...]]:
    """Return every table in its area; one that nobody has placed yet stands under others."""
    placed = {name for names in AREAS.values() for name in names}
    others = tuple(sorted(set(Base.metadata.tables) - placed))
    return AREAS | ({"Others": others} if others else {})


def database_page() -> str:
    overview = diagram(relations(Base.metadata.sorted_tables))
    parts = [part for title, names in all_areas().items() for part in area(title, names)]
    return page("Database", INTRODUCTION, "## All tables", overview, *parts)
