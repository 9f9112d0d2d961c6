# Sales Tech: `make run` builds a lake of synthetic sales, `make test` proves the project. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
LAKE ?= lake
LANDING ?= landing
STACK ?= salestech
AWS_REGION_OF_MAKE = $(if $(REGION),AWS_REGION=$(REGION) AWS_DEFAULT_REGION=$(REGION))
.DEFAULT_GOAL := help

help: ## Show these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

run: .venv/base ## Write a synthetic retailer's exports and run the pipeline into ./lake
	@test -n "$$(ls $(LANDING) 2>/dev/null)" || $(BIN)/python pipeline.py twin $(LANDING)
	@$(BIN)/python pipeline.py run --landing $(LANDING) --lake $(LAKE)

twin: .venv/base ## Write a synthetic retailer's exports into ./landing, with known effects of its promotions
	@$(BIN)/python pipeline.py twin $(LANDING)

setup: .venv/dev ## Build .venv with everything for development

test: .venv/dev ## Run all tests
	@$(BIN)/python -m pytest -n auto

lint: .venv/dev ## Check style, types, the direction of imports, committed keys and known flaws of packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@for code in lambda/land_orders lambda/poll_orders "infra/stack.py infra/removal.py infra/cli.py infra/costs.py infra/glue/nightly.py"; do $(BIN)/mypy $$code || exit 1; done
	@$(BIN)/lint-imports
	@$(BIN)/python requirements/audit.py secrets
	@$(BIN)/python requirements/audit.py dependencies

lab: .venv/base ## Open the notebooks in JupyterLab
	@SALES_TECH_LAKE=$(abspath $(LAKE)) SALES_TECH_LANDING=$(abspath $(LANDING)) $(BIN)/jupyter lab notebooks

docs: .venv/base ## Write docs/tables.md from the contracts
	@$(BIN)/python -c 'from sales_tech.contracts.dictionary import data_dictionary; print(data_dictionary(), end="")' > docs/tables.md

dashboards: .venv/base ## Write infra/cloudformation/dashboards.yaml from dashboards/
	@$(BIN)/python -m sales_tech.dashboards.quicksight > infra/cloudformation/dashboards.yaml.new
	@mv infra/cloudformation/dashboards.yaml.new infra/cloudformation/dashboards.yaml

# Glue's machine decides which packages and wheels, not the one that packs them.
spark-modules: .venv/dev ## Pack the wheel and its lock's for the Spark job of AWS Glue, into dist/
	@rm -rf dist/wheels && mkdir -p dist/wheels
	@$(BIN)/python -m hatchling build -t wheel -d dist/wheels
	@$(BIN)/uv pip compile --quiet --no-deps --no-header --no-annotate --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
		--output-file dist/modules.txt requirements/aws.txt
	@$(BIN)/python -m pip download --quiet --no-deps --only-binary :all: --implementation cp --python-version 3.11 \
		--platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 -d dist/wheels -r dist/modules.txt
	@cd dist && $(abspath $(BIN))/python -m zipfile -c sales_tech.gluewheels.zip wheels/ && cp ../infra/glue/nightly.py .
	@echo "Put dist/sales_tech.gluewheels.zip and dist/nightly.py under modules/ of the lake bucket"

# The parameters come by the environment, so that their quotes are not the shell's.
deploy-plan: ## Show what a deploy to AWS would change and what a month costs: STACK=... ARTIFACTS=bucket
	@$(AWS_REGION_OF_MAKE) $(PYTHON) infra/stack.py plan --stack "$(STACK)" --artifacts "$(ARTIFACTS)" --parameters "$$PARAMETERS"

deploy: ## Make or change the stack on AWS: STACK=... ARTIFACTS=bucket, PARAMETERS='ImageTag=...'
	@$(AWS_REGION_OF_MAKE) $(PYTHON) infra/stack.py deploy --stack "$(STACK)" --artifacts "$(ARTIFACTS)" --parameters "$$PARAMETERS"

destroy: ## Remove the stack from AWS; refuses while data exists, unless FORCE=1
	@$(AWS_REGION_OF_MAKE) $(PYTHON) infra/stack.py destroy --stack "$(STACK)" $(if $(filter 1,$(FORCE)),--force)

lock: ## Resolve the dependencies anew into requirements/
	@sh requirements/lock.sh

clean: ## Remove what runs and tests leave behind, but no lake and no landing folder
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The environment is built again when its lock changes. uv installs in seconds what takes pip a minute;
# compiled bytecode makes each notebook's kernel start a second sooner.
.venv/%: requirements/%.txt pyproject.toml
	@echo "Building .venv from $< ..."
	@test -x $(BIN)/uv || { $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sales Tech needs Python 3.11 or newer, found " + sys.version.split()[0])' \
		&& $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -r $<
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.PHONY: help run twin setup test lint lab docs dashboards spark-modules deploy-plan deploy destroy lock clean
