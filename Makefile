# Every target works on a fresh clone: what it needs is set up in .venv first, once. PYTHON=… names another interpreter for it.

.DEFAULT_GOAL := help
.PHONY: help install demo test lists screenshots clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

install: ## set up .venv, with the superresolution command in it
	@scripts/setup-environment

demo: install ## upscale the built-in phantom and write tables, pictures and DICOM into demo/
	.venv/bin/superresolution demo demo

test: install ## run every test
	.venv/bin/python -m pytest

lists: ## bring the file lists in the modules' CMakeLists.txt up to date
	@scripts/update-cmake-lists

screenshots: install ## draw the pictures of the panel and the Compare layout in Resources/Screenshots again
	@.venv/bin/python scripts/make-screenshots

clean: ## remove .venv, demo/ and all caches; trained models in runs/ stay
	rm -rf .venv demo build .pytest_cache *.egg-info SuperResolution*/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
