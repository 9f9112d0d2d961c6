#!/bin/sh
# Resolve pyproject.toml for every platform and Python version at once; locks hold no index addresses.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate pyproject.toml "$@"
}
# The widest first, since the SageMaker SDK is the most particular about versions; the others are parts of it.
compile --extra aws --extra dev --extra sagemaker --extra spark --output-file requirements/dev.txt
compile --constraint requirements/dev.txt --output-file requirements/base.txt
compile --extra aws --constraint requirements/dev.txt --output-file requirements/aws.txt
for extra in sagemaker spark; do
    compile --extra aws --extra "$extra" --constraint requirements/dev.txt --output-file "requirements/$extra.txt"
done
