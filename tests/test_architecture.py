"""The shape of the code: what may know what, and what has no place here."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "members", "tiers", "rewards", "campaigns")
HEIGHT = {name: height for height, name in enumerate(PACKAGES)}
FORBIDDEN_FILES = {"utils.py", "helpers.py", "signals.py", "common.py", "misc.py"}
LONGEST_FILE, LONGEST_FUNCTION = 400, 70


def sources(*, with_migrations: bool = False) -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if with_migrations or "migrations" not in path.parts:
                yield path


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def test_no_foreign_key_points_up() -> None:
    wrong = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in HEIGHT
        for field in model._meta.get_fields(include_hidden=False)
        if field.concrete
        and field.is_relation
        and field.related_model is not None
        and HEIGHT.get(field.related_model._meta.app_label, 0) > HEIGHT[model._meta.app_label]
    ]
    assert wrong == []


def test_no_model_hides_a_relation_in_a_generic_key() -> None:
    wrong = [
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in HEIGHT
        and any(isinstance(field, GenericForeignKey) for field in model._meta.private_fields)
    ]
    assert wrong == []


def test_imports_go_down() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_is_a_drawer_for_everything() -> None:
    wrong = [path for path in sources() if path.name in FORBIDDEN_FILES]
    assert wrong == []


def test_imports_stand_at_the_top() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{inner.lineno}"
        for path in sources()
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["members", "tiers", "rewards", "campaigns"])
def test_deciding_knows_no_database(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted((ROOT / package / "domain").rglob("*.py"))
        for node in ast.walk(tree(path))
        for module in imported(node)
        if module.startswith(("django.db", "django.apps", "rest_framework", "psycopg", "celery"))
    ]
    assert wrong == []


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def test_nothing_happens_by_signal() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in sources()
        for node in ast.walk(tree(path))
        for module in imported(node)
        if module in {"django.dispatch", "django.db.models.signals"}
    ]
    assert wrong == []


def test_files_and_functions_stay_readable() -> None:
    wrong = []
    for path in sources():
        if len(path.read_text().splitlines()) > LONGEST_FILE:
            wrong.append(f"{path.relative_to(ROOT)} is longer than {LONGEST_FILE} lines")
        wrong += [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name} is too long"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
        ]
    assert wrong == []
