"""The audits of `make lint` find what they look for, and tell when they could not look."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.nights import REPOSITORY

AUDIT = REPOSITORY / "requirements" / "audit.py"
PLANTED = {
    "a key of AWS": 'key = "AKIA' + "Z3MNQ7DWJT5X2KLA" + '"\n',  # pragma: allowlist secret
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\n",  # pragma: allowlist secret
    "a token of GitHub": 'token = "ghp_' + "0123456789abcdefghijABCDEFGHIJ012345" + '"\n',  # pragma: allowlist secret
    "a password": "db_pass" + 'word = "correct-horse-battery-9"\n',  # pragma: allowlist secret
    "a password in an address": "postgres://admin:" + "h0rse-battery@db.example.com/x\n",
}
needs_tools = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("detect_secrets", "pip_audit")),
    reason="the tools of the lock are not installed",
)


def audit(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(AUDIT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | variables, check=False)


def tracked(folder: Path, text: str) -> Path:
    (folder / "settings.py").write_text(text)
    for command in (["git", "init", "-q"], ["git", "add", "-A"]):
        subprocess.run(command, cwd=folder, check=True)
    return folder


@needs_tools
@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_a_planted_key_is_found_with_its_place(tmp_path: Path, text: str) -> None:
    done = audit("secrets", tracked(tmp_path, f"x = 1\n{text}"))
    assert done.returncode == 1
    assert "settings.py:2" in done.stderr
    assert "remove it and make a new one" in done.stderr


@needs_tools
def test_a_key_in_a_file_that_is_not_added_yet_is_found_and_one_that_is_ignored_is_not(tmp_path: Path) -> None:
    tracked(tmp_path, "x = 1\n")
    (tmp_path / "new.py").write_text(PLANTED["a key of AWS"])
    assert "new.py:1" in audit("secrets", tmp_path).stderr
    (tmp_path / ".gitignore").write_text("new.py\n")
    assert audit("secrets", tmp_path).returncode == 0


@needs_tools
def test_a_line_that_says_so_is_no_secret(tmp_path: Path) -> None:
    done = audit("secrets", tracked(tmp_path, PLANTED["a password"].rstrip() + "  # pragma: allowlist secret\n"))
    assert (done.returncode, done.stdout) == (0, "No secret in 1 files.\n")


def test_a_folder_without_files_is_not_called_clean(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)  # noqa: S607  # whichever git make found
    assert audit("secrets", tmp_path).returncode == 1


def told(folder: Path, script: str) -> dict[str, str]:
    """The variables by which an audit asks a stand-in for the tool, which a machine without a network can hear."""
    (folder / "pip_audit").mkdir()
    (folder / "pip_audit" / "__init__.py").write_text("")
    (folder / "pip_audit" / "__main__.py").write_text(script)
    return {"PYTHONPATH": str(folder)}


SOUND = '{"name": "a", "version": "1", "vulns": []}'
UNKNOWN = '{"name": "b", "skip_reason": "not found"}'
FLAWED = '{"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}'
ANSWERS = {
    "all sound": (SOUND, 0, 0, "No known vulnerability in 1 locked packages."),
    "a flaw": (f"{SOUND}, {FLAWED}", 1, 1, "c 2: PYSEC-1, mended in 3; raise the version with `make lock`"),
    "a flaw beside one that is not known": (f"{UNKNOWN}, {FLAWED}", 1, 1, "c 2: PYSEC-1"),
    "one that is not known": (f"{SOUND}, {UNKNOWN}", 0, 1, "NOT AUDITED: 1 of 2 packages are not known"),
}


@pytest.mark.parametrize(("dependencies", "code", "code_where_required", "words"), ANSWERS.values(), ids=ANSWERS)
def test_what_the_audit_is_told_it_tells(tmp_path: Path, dependencies: str, code: int, code_where_required: int, words: str) -> None:
    variables = told(tmp_path, f"print('''{{\"dependencies\": [{dependencies}]}}''')")
    done = audit("dependencies", **variables)
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True)
    assert audit("dependencies", SALES_TECH_AUDIT="required", **variables).returncode == code_where_required


def test_where_nobody_answers_it_says_that_it_did_not_look(tmp_path: Path) -> None:
    variables = told(tmp_path, "import sys; sys.exit('ConnectionError: pypi.org')")
    done = audit("dependencies", **variables)
    assert done.returncode == 0
    assert "THE DEPENDENCIES WERE NOT AUDITED: ConnectionError: pypi.org. Lint again with a network" in done.stderr
    assert audit("dependencies", SALES_TECH_AUDIT="required", **variables).returncode == 1


@needs_tools
def test_the_tool_itself_without_a_network_is_told_as_not_run(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("pyyaml==6.0.2\n")
    nowhere = {name: "http://127.0.0.1:9" for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")}
    done = audit("dependencies", lock, **nowhere)
    assert (done.returncode, "NOT AUDITED" in done.stderr) == (0, True)
