"""Two checks of `make lint`: no key stands in a file that git tracks, and no locked package has a known vulnerability.

    python requirements/audit.py secrets [folder]
    python requirements/audit.py dependencies [lock ...]

Exit code 1 where one is found. Whether a vulnerability is known can only be asked over the network. Where nobody answers
the check says so and ends with 0, since a machine without a network must be able to lint; with SALES_TECH_AUDIT=required,
as a machine that releases should set it, it ends with 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Locks hold names and versions, pictures nothing that can be read.
PASSED_BY = ("requirements/*.txt", "*.png", "*.svg")
SECONDS = 120
REQUIRED = "SALES_TECH_AUDIT"


def secrets(folder: Path) -> int:
    """Look through all files that git tracks, or would; a line that only looks like a key says `pragma: allowlist secret`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".", *(f":!{name}" for name in PASSED_BY)]
    listed = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout  # noqa: S603  # of our own words
    names = [name for name in listed.decode(errors="surrogateescape").split("\0") if name and (folder / name).is_file()]
    if not names:
        sys.stderr.write(f"no file is tracked in {folder}; expected a git repository with files. Run it where the project is\n")
        return 1
    # Without asking the services that a key may belong to: a key that was found is sent nowhere.
    at_once = os.cpu_count() or 1
    shares = [share for place in range(at_once) if (share := names[place::at_once])]
    with ThreadPoolExecutor(at_once) as pool:
        looked = list(pool.map(lambda share: _run("detect_secrets.pre_commit_hook", "--no-verify", "--", *share, folder=folder), shares))
    if any(one.returncode for one in looked):
        found = "".join(one.stdout + one.stderr for one in looked if one.returncode)
        sys.stderr.write(f"{found}a key may stand in a file: remove it and make a new one, since git keeps the old\n")
        return 1
    sys.stdout.write(f"No secret in {len(names)} files.\n")
    return 0


def dependencies(locks: list[Path]) -> int:
    """Ask PyPI's advisories for each locked version."""
    named = [argument for lock in locks for argument in ("--requirement", str(lock))]
    options = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "10", "--format", "json")
    try:
        asked = _run("pip_audit", *options, *named, folder=ROOT, seconds=SECONDS)
    except subprocess.TimeoutExpired:
        return _not_run(f"no answer within {SECONDS} seconds")
    try:
        told: list[dict[str, Any]] = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        return _not_run((asked.stderr.strip().splitlines() or ["nothing was said"])[-1])
    audited = [one for one in told if "skip_reason" not in one]
    vulnerable = [one for one in audited if one["vulns"]]
    for one in vulnerable:
        for flaw in one["vulns"]:
            mended = ", ".join(flaw["fix_versions"]) or "none yet"
            sys.stderr.write(f"{one['name']} {one['version']}: {flaw['id']}, mended in {mended}; raise the version with `make lock`\n")
    if vulnerable:
        return 1
    if len(audited) < len(told):
        return _not_run(f"{len(told) - len(audited)} of {len(told)} packages are not known to the service that was asked")
    sys.stdout.write(f"No known vulnerability in {len(audited)} locked packages.\n")
    return 0


def _not_run(reason: str) -> int:
    required = os.environ.get(REQUIRED) == "required"
    sys.stderr.write(f"THE DEPENDENCIES WERE NOT AUDITED: {reason}. Lint again with a network that reaches pypi.org\n")
    return 1 if required else 0


def _run(module: str, *arguments: str, folder: Path, seconds: int | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds)  # noqa: S603  # of our own words


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or [""]
    if what == "secrets":
        sys.exit(secrets(Path(rest[0]) if rest else ROOT))
    if what == "dependencies":
        sys.exit(
            dependencies(
                [Path(lock).resolve() for lock in rest] or [ROOT / "requirements" / "dev.txt", ROOT / "requirements" / "spark.txt"]
            )
        )
    sys.exit(f"{what!r}; expected secrets or dependencies")
