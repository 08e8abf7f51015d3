# `make search` and `make test` are all that a fresh clone needs: both set up `.venv` first.

PYTHON ?= python3
VENV   ?= .venv
DATA   ?=

BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO   := runs/demo-data
FOLDER := $(if $(DATA),$(DATA),$(DEMO))
NAME   := first-$(notdir $(patsubst %/,%,$(FOLDER)))

.PHONY: search test lint format mutations bench zoo

search: $(STAMP)
	$(if $(DATA),,$(BIN)/archdsl demo-data $(DEMO))
	@mkdir -p runs
	$(BIN)/archdsl compile specs/models/unetpp_effnet_b0.arch --render runs/unetpp_effnet_b0.svg
	$(BIN)/archdsl search specs/spaces/first.arch --data $(FOLDER) --trials 8 --epochs 3 --name $(NAME)
	@echo
	@echo "drawing  runs/unetpp_effnet_b0.svg"
	@echo "report   runs/$(NAME)/report/index.html"
	@echo "winner   runs/$(NAME)/winner.arch"

test: lint
	$(BIN)/python -m pytest -n 2

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

mutations: $(STAMP)
	$(BIN)/python -m tests.mutate

zoo: $(STAMP)
	$(BIN)/python -m tests.specs.zoo

bench: $(STAMP)
	$(BIN)/python -m benchmarks.check
	$(BIN)/python -m benchmarks.build
	$(BIN)/python -m benchmarks.candidates

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
