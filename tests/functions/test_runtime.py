"""What a function may import, and the runtime that the tests give it."""

from __future__ import annotations

import ast
import sys

import pytest
from tests.support.functions import FUNCTIONS, FunctionDied, LambdaRunner, build_zip, load

land_orders = load("land_orders")
handler = land_orders.handler.handler


def test_the_zip_is_the_same_bytes_each_time_and_holds_modules_alone() -> None:
    assert build_zip("land_orders") == build_zip("land_orders")
    assert len(build_zip("land_orders")) < 50_000


@pytest.mark.parametrize("function", ["land_orders", "poll_orders"])
def test_a_function_imports_the_standard_library_alone_and_boto3_only_when_it_needs_it(function: str) -> None:
    modules = sorted((FUNCTIONS / function).glob("*.py"))
    own = {path.stem for path in modules}
    for path in modules:
        tree = ast.parse(path.read_text())
        inside = {node for part in ast.walk(tree) if isinstance(part, ast.FunctionDef) for node in ast.walk(part)}
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                root = name.partition(".")[0]
                assert root in sys.stdlib_module_names | own or (root in ("boto3", "botocore") and node in inside), f"{path.name}: {name}"


def test_the_runtime_of_the_tests_knows_boto3_and_nothing_of_this_repository() -> None:
    code = "import boto3\ndef handler(event, context):\n    import importlib.util as u\n    return u.find_spec(event) is not None"
    with LambdaRunner(build_zip("land_orders"), {}) as running:
        (running.code / "handler.py").write_text(code)
        assert [running.invoke(name) for name in ("boto3", "contract", "sales_tech", "pipeline")] == [True, True, False, False]


def test_a_function_that_takes_too_long_is_ended_and_started_anew() -> None:
    with LambdaRunner(build_zip("land_orders"), {}, timeout=2.0) as running:
        (running.code / "handler.py").write_text("import time\n\ndef handler(event, context):\n    time.sleep(event)\n    return event\n")
        with pytest.raises(FunctionDied, match=r"took longer than 2\.0 s"):
            running.invoke(60)
        assert running.invoke(0) == 0
