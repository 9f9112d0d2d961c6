#!/bin/sh
# Resolve pyproject.toml for every platform and Python version at once; locks hold no index addresses.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate pyproject.toml "$@"
}
compile --output-file requirements/base.txt
compile --extra aws --constraint requirements/base.txt --output-file requirements/aws.txt
compile --extra aws --extra dev --constraint requirements/aws.txt --output-file requirements/dev.txt
for extra in sagemaker spark; do
    compile --extra aws --extra "$extra" --constraint requirements/aws.txt --output-file "requirements/$extra.txt"
done
