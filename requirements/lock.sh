#!/bin/sh
# Resolve pyproject.toml for every platform and Python version at once; locks hold no index addresses.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate pyproject.toml "$@"
}
compile --output-file requirements/base.txt
for extra in dev aws spark; do
    compile --extra "$extra" --constraint requirements/base.txt --output-file "requirements/$extra.txt"
done
