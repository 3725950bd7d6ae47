"""Imports all that the product imports, late imports included, and tries what the demo leaves out.

Run inside a worker's container (`scripts/demo_containers.sh` does): nothing but the data can be
written there. A package that was left out, or one that wants to write beside itself, shows here.
"""

import ast
import importlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import app
from app.core.config import get_settings
from app.workers.child_environment import compute_environment

FOLDER = Path(app.__file__).parent
# Comes with PyTorch's builds for NVIDIA's GPUs alone.
FOR_GPUS = "triton"


def imports_of(path: Path) -> Iterator[str]:
    """Modules that a file imports anywhere, but for type checkers."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        waiting.extend(ast.iter_child_nodes(node))


def import_everything() -> int:
    import torch

    wanted: set[str] = set()
    for path in sorted(FOLDER.rglob("*.py")):
        found = set(imports_of(path))
        if torch.version.cuda is None and any(name.startswith(FOR_GPUS) for name in found):
            continue
        own = path.relative_to(FOLDER.parent).with_suffix("").as_posix().replace("/", ".")
        wanted |= {own.removesuffix(".__init__"), *found}
    for name in sorted(wanted):
        importlib.import_module(name)
    return len(wanted)


def lay_out_a_map() -> None:
    import torch

    from app.ml.feature_discovery.layout import lay_out

    layout = lay_out(torch.randn(64, 16), "umap", seed=0)
    assert layout is not None
    assert layout.method == "umap"


def write_and_read_a_table() -> None:
    import pyarrow
    from pyarrow import parquet

    table, file = pyarrow.table({"text": ["one", "two"]}), io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    assert parquet.read_table(file).equals(table)


if __name__ == "__main__":
    os.environ.update(compute_environment(get_settings()))  # as a job has it
    print(f"{import_everything()} modules", flush=True)
    lay_out_a_map()
    write_and_read_a_table()
