# Every command here is what CI runs too.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Dozens of short processes run here: without bytecode each would compile its imports anew.
unexport PYTHONDONTWRITEBYTECODE
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check

# The rest of the packages, most of it Graph's generated models, is compiled where it is used.
COMPILED := _pytest pluggy xdist execnet pytest_asyncio azure aiohttp httpx httpcore h2 kiota_http \
  kiota_abstractions opentelemetry cryptography jwt msal werkzeug msgspec yaml rich

.PHONY: help setup demo run test campaign soak check package bench generate lock format clean

help:            ## list the commands
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | sort

setup: $(STAMP)  ## make .venv and install everything
LOCKED := install --quiet --require-hashes
$(STAMP): requirements-dev.txt requirements-uv.txt requirements-worker.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	# uv is three times as fast; pip knows every machine's settings.
	$(PIP) $(LOCKED) -r requirements-uv.txt
	$(BIN)/uv pip $(LOCKED) --python $(BIN)/python -r requirements-dev.txt \
	  || $(PIP) $(LOCKED) -r requirements-dev.txt
	# Microsoft's worker library declares Python 3.13 but runs on 3.11: only the command line can say so.
	# Meanwhile Azurite is installed, and what every process imports is compiled once for all of them.
	$(BIN)/python -m emulators.azurite.node & npm=$$!; \
	(cd $(VENV)/lib/python3*/site-packages && ../../../bin/python -m compileall -q -j 0 $(COMPILED)) & compiled=$$!; \
	$(PIP) $(LOCKED) --ignore-requires-python --no-deps -r requirements-worker.txt && \
	  wait $$npm && wait $$compiled
	touch $@

demo: setup      ## onboard a product on the local cloud, from nothing to a verified secret
	$(BIN)/python -m emulators.demo

run: setup       ## start the local cloud and the functions, until Ctrl-C
	$(BIN)/python -m emulators up

test: setup      ## run all tests, unit tests first (the Bicep checker has its own in `make check`)
	$(BIN)/python -m pytest tests/unit -q -m "not slow"
	$(BIN)/python -m pytest tests -q --ignore=tests/infra -m "slow or not unit" -n 6 --dist loadfile --no-loadscope-reorder

campaign: setup  ## 300 seeds of the fault campaign, and that it notices deliberate breakages
	$(BIN)/python -m tests.campaign --seeds 300
	$(BIN)/python -m tests.campaign.mutations

soak: setup      ## the fault campaigns at full size, which takes about an hour and a half
	$(BIN)/python -m tests.campaign --seeds 10000 --every-point
	KEYTURN_SOAK=1 $(BIN)/python -m pytest tests/in_memory -q -m slow -n 2 --dist load
	KEYTURN_SOAK=1 $(BIN)/python -m pytest tests/end_to_end/test_processes_die.py -q
	$(BIN)/python -m tests.campaign.local_cloud --seed 1 --seed 2 --seed 3 --minutes 2

check: setup     ## format, lint, types, import contracts, Bicep, vulnerabilities, licences
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PIP) $(LOCKED) -r infra/check/requirements.txt
	$(BIN)/python -m infra.check
	$(BIN)/python -m release audit
	$(BIN)/python -m release licences
	$(BIN)/python -m pytest -q tests/generated tests/infra

package: setup   ## build what is deployed: build/keyturn.zip, its bill of materials, and unpacked
	$(BIN)/python -m release package $(DEPLOYABLE)

bench: setup     ## measure, as ratios taken in one run
	$(BIN)/python -m bench

generate: setup  ## write the files that are derived from steps, profiles and tests
	$(BIN)/python -m functions
	$(BIN)/python -m tests.requirements
	$(BIN)/python -m tests.campaign.matrix
	$(BIN)/python -m release.costs
	$(BIN)/python -m infra.check --write

format: setup    ## format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Hashes are of the files, not of where they come from: a mirror serves the same ones.
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header

lock: setup      ## pin all dependencies anew, with the hashes of their files
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -c requirements.txt -o requirements-dev.txt
	$(COMPILE) requirements-uv.in -c requirements-dev.txt -o requirements-uv.txt
	$(COMPILE) infra/check/requirements.in -c requirements-dev.txt -o infra/check/requirements.txt
	$(COMPILE:3.11=3.13) --no-deps requirements-worker.in -o requirements-worker.txt

clean:           ## remove what the other commands made
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
