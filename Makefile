.DEFAULT_GOAL := help
.PHONY: help run demo test durability check schema services bench

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

run: ## build, then start the server on SQLite and the folder .flowforge/
	@scripts/run

demo: ## run both examples against the server of `make run`, or against one of its own
	@scripts/demo

test: ## everything that must hold, on SQLite and PostgreSQL; installs and starts what it needs
	@scripts/test

durability: ## the part of it that kills and stops real servers, beside an outside ledger
	@scripts/test --durability

check: ## format and lints, quickly
	@scripts/check

schema: ## write schema.graphql anew from the server's own types
	@scripts/schema

services: ## start the PostgreSQL for development and print its settings
	@scripts/services start

bench: ## build for release and measure
	@scripts/bench
