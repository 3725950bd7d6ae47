"""The rules between folders that no linter knows; docs/architecture.md has them as a table."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[1] / "app"
# Package of the importer -> prefixes below ``app.`` that it may import, besides its own package.
ALLOWED: dict[str, tuple[str, ...]] = {
    "core": (),
    "ml": (),
    "schemas": ("core", "ml.configs"),
    "db": ("core",),
    "services": ("db", "schemas", "core", "ml.configs", "ml.records"),
    "api": ("services", "schemas", "core", "db.session"),
    "websocket": ("schemas", "core"),
    "workers": ("services", "db", "schemas", "core", "websocket.publisher"),
    "supervisor": ("core",),
    "cli": ("supervisor", "core"),
}
# Files that may import more, because they are the one door between two rooms.
DOORS: dict[str, tuple[str, ...]] = {
    "services/outbox.py": ("workers.queues", "workers.sender", "websocket.publisher"),
    # How much memory there is, which a library may ask of its machine.
    "ml/language_models/placement.py": ("core.memory",),
    # Torch-free: an export is copied byte by byte while it is sent.
    "services/sae_export.py": ("ml.interchange.saelens_export",),
    "workers/tasks/": ("ml",),
    "workers/steering_server.py": ("ml",),
    "workers/errors.py": ("ml.errors", "ml.configs"),
    "main.py": ("api", "core", "websocket", "schemas", "services", "db"),
    # Both say what the application is: the document and the migrations.
    "cli/tools.py": ("main", "api"),
    # The doctor compares rows with files, also when nothing runs that could be asked.
    "cli/checks/drift.py": ("services.reconciliation", "db.session"),
}
FEWEST_FILES = 150
# Liveness must find out whether the event loop turns; it waits for nothing else.
ON_THE_EVENT_LOOP = frozenset({"get_live"})


def _files(below: Path = APP) -> list[Path]:
    return sorted(below.rglob("*.py"))


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """Modules of ours that a file imports, without the leading ``app.``, and the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            # ``from app.db import models`` imports the package and may name a module of it.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("app."):
                yield name.removeprefix("app."), node.lineno


def _may(importer: Path, module: str) -> bool:
    name = importer.relative_to(APP).as_posix()
    package = name.partition("/")[0]
    if package == module.partition(".")[0]:
        return True
    doors = [more for door, more in DOORS.items() if name == door or name.startswith(door)]
    allowed = (*ALLOWED.get(package, ()), *(prefix for more in doors for prefix in more))
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in allowed)


def test_imports_follow_the_table() -> None:
    files = _files()
    assert len(files) >= FEWEST_FILES, "the test sees too little of the source"
    wrong = [
        f"{path.relative_to(APP)}:{line} imports app.{module}"
        for path in files
        for module, line in _imports(path)
        if not _may(path, module)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_table_knows_every_package() -> None:
    packages = {path.name for path in APP.iterdir() if (path / "__init__.py").exists()}
    assert packages == set(ALLOWED)


def test_the_check_can_fail(tmp_path: Path) -> None:
    assert not _may(APP / "ml" / "somewhere.py", "core.config")
    assert not _may(APP / "api" / "somewhere.py", "db.models")
    assert not _may(APP / "services" / "somewhere.py", "workers.queues")
    assert _may(APP / "services" / "outbox.py", "workers.queues")


@pytest.mark.parametrize("module", ["app.main", "app.ml.configs", "app.ml.records", "app.cli.main"])
def test_importing_loads_no_torch(module: str) -> None:
    code = (
        f"import sys, {module}; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=APP.parent
    )
    assert answer.stdout.strip().splitlines()[-1] == "[]"


def test_endpoints_are_synchronous_and_hold_no_query() -> None:
    endpoints = _files(APP / "api" / "v1" / "endpoints")
    handlers = 0
    wrong = []
    for path in endpoints:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and node.name not in ON_THE_EVENT_LOOP:
                wrong.append(f"{path.name}:{node.lineno} {node.name} is async")
            if isinstance(node, ast.FunctionDef) and any(
                "router." in ast.unparse(decorator) for decorator in node.decorator_list
            ):
                handlers += 1
            if isinstance(node, ast.Try):
                wrong.append(f"{path.name}:{node.lineno} has a try of its own")
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
                names = {alias.name for alias in node.names}
                if names - {"Session"}:
                    wrong.append(f"{path.name}:{node.lineno} builds a query")
    assert handlers >= 40, "the test sees too few endpoints"
    assert not wrong, "\n".join(wrong)


def test_broad_catches_stand_at_the_edges_only() -> None:
    """A broad catch hides faults; the edges record them with their stack, cleaning up re-raises."""
    edges = re.compile(r"^(workers/|websocket/|api/errors|api/middleware|supervisor/|main\.py)")
    wrong = []
    for path in _files():
        name = path.relative_to(APP).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            if isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None:
                continue  # tidies up and lets the fault go on
            caught = ast.unparse(node.type) if node.type else "everything"
            cleans_up = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if cleans_up or edges.match(name):
                continue
            if caught in {"Exception", "BaseException", "everything"}:
                wrong.append(f"{name}:{node.lineno} catches {caught}")
    assert not wrong, "\n".join(wrong)


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        path.relative_to(APP).as_posix()
        for path in _files()
        if re.search(r"os\.(environ\[|environ\.get|getenv)", path.read_text(encoding="utf-8"))
    }
    # The supervisor and the workers hand theirs on to children; the demo asks for a desktop;
    # the system's page asks whether the driver's own variable hides the GPU.
    others = {r for r in readers if not r.startswith(("supervisor/", "cli/", "workers/"))}
    known = {"core/config.py", "services/system_service.py", "ml/sae_training/gpu/__init__.py"}
    assert others <= known


def test_nothing_blocks_in_async_functions() -> None:
    """One event loop serves every client: a call that waits there stalls them all."""
    blocking = {"sleep", "run", "check_output", "check_call", "urlopen", "session_scope"}
    blocking |= {"read_text", "write_text", "read_bytes", "write_bytes"}
    seen = 0
    wrong = []
    for path in _files():
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            seen += 1
            awaited = {id(n.value) for n in ast.walk(function) if isinstance(n, ast.Await)}
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and id(call) not in awaited:
                    called = ast.unparse(call.func).rpartition(".")[2]
                    if called in blocking:
                        wrong.append(f"{path.relative_to(APP)}:{call.lineno} calls {called}")
    assert seen >= 10, "the test sees too few async functions"
    assert not wrong, "\n".join(wrong)
