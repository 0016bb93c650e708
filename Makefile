# The commands of this house. `make help` lists them; every target sets up what it needs by itself.
# Set-up is skipped when the lock files have not changed since the last time (scripts/set-up), so a warm start costs a few milliseconds.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory --no-builtin-rules
BIN := .venv/bin

.PHONY: help
help: ## list the commands (what a bare `make` does)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## start the demo: a sandbox Bitrix24, an example salon, the gateway (ARGS="--json --listen 127.0.0.1:0")
	@scripts/set-up run && exec $(BIN)/leadgate demo $(ARGS)

.PHONY: venv
venv: ## set up only what is needed to run; afterwards .venv/bin/leadgate works from any directory
	@scripts/set-up run

.PHONY: test
test: ## run the tests, with PostgreSQL and Chromium set up (ARGS="tests/unit -k retry")
	@scripts/set-up dev browser && exec $(BIN)/python -m pytest $(ARGS)

.PHONY: check
check: lint types imports ## the whole gate: lint, types, imports, tests
	@$(MAKE) test

.PHONY: lint
lint: ## format and lint rules, without changing a file
	@scripts/set-up dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: types
types: ## strict type check of the product and its tests
	@scripts/set-up dev
	$(BIN)/mypy

.PHONY: imports
imports: ## which room may import which (.importlinter)
	@scripts/set-up dev
	$(BIN)/lint-imports --no-logo

.PHONY: fix
fix: ## format, and mend what the lint rules can mend by themselves
	@scripts/set-up dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: coverage
coverage: ## the tests with branch coverage, and what they leave out
	@scripts/set-up dev browser
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: bench
bench: ## the benchmarks, as ratios within one run (bench/)
	@scripts/set-up dev && exec $(BIN)/python -m bench $(ARGS)

.PHONY: bench-drain
bench-drain: ## how fast the queue drains after an outage of the CRM, against the portal's own limit
	@scripts/set-up dev && exec $(BIN)/python -m bench drain --out build/bench-drain.json

.PHONY: pii-score
pii-score: ## how well personal data is found, by author and label, beside the baselines (ARGS=--write for docs/pii-score.md)
	@scripts/set-up dev presidio && exec $(BIN)/python -m pii_score $(ARGS)

.PHONY: train-tagger
train-tagger: ## learn the weights that find names, addresses and health anew, from generated and written messages (two minutes)
	@scripts/set-up dev && exec $(BIN)/python -m scripts.train_tagger $(ARGS)

.PHONY: proof
proof: ## kill the gateway 1,000 times, strike every fault point, compare the books (KILLS=10000 SEED=7 ARGS="--points none")
	@scripts/set-up dev && exec $(BIN)/python -m proof $(ARGS)

.PHONY: simulate
simulate: ## the delivery core in 20,000 simulated worlds (ARGS="--seed 4711 -v" replays one; docs/simulation.md)
	@scripts/set-up dev && exec $(BIN)/python -m tests.simulation $(ARGS)

.PHONY: tampering
tampering: ## manipulate the audit journal in 10,000 ways, each must be found and named (ARGS="--seed 7", "--measure 10000000")
	@scripts/set-up dev && exec $(BIN)/python -m tests.tampering $(ARGS)

.PHONY: rotations
rotations: ## replace every kind of secret 1,000 times under 50 requests a second, none refused (ARGS="--count 100")
	@scripts/set-up dev && exec $(BIN)/python -m tests.rotations $(ARGS)

.PHONY: consent-dialogues
consent-dialogues: ## consent before name and phone, no advertising without its own, in 10,000 random dialogues (DIALOGUES=500)
	@scripts/set-up dev && LEADGATE_DIALOGUES=$(or $(DIALOGUES),10000) $(BIN)/python -m pytest --timeout=0 $(ARGS) \
		tests/processing/test_random_dialogues.py

.PHONY: fuzz
fuzz: ## fire odd bodies at every receiver for ten minutes (SECONDS=60 ARGS="--kind vk --seed 4711")
	@scripts/set-up dev && exec $(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),600) $(ARGS)

.PHONY: hostile
hostile: ## attack a running gateway while honest leads go on, then fuzz the API with every role (ARGS="--count 200 --seed 7")
	@scripts/set-up dev && $(BIN)/python -m tests.hostile $(ARGS) && LEADGATE_HOSTILE_EXAMPLES=25 $(BIN)/python -m pytest \
		--timeout=0 tests/hostile/test_api.py

.PHONY: reference
reference: ## write docs/reference/ anew from the code (ARGS=--check only compares)
	@scripts/set-up run && $(BIN)/python scripts/reference.py $(ARGS)

.PHONY: lock
lock: ## bring requirements/ up to pyproject.toml (ARGS=--upgrade takes newer releases)
	@scripts/lock $(ARGS)

.PHONY: clean
clean: ## remove the virtual environment and everything that tools left behind
	rm -rf .venv build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
