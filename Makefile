# Chargetree: run it, test it, check it. `make help` lists the targets.
.POSIX:

PYTHON = python3
VENV = .venv
PY = $(VENV)/bin/python
PIP = $(PY) -m pip --disable-pip-version-check --no-input install --quiet --only-binary :all: --require-hashes

help:
	@echo "make run      run the demo on PORT (default 8000), with SQLite or the database in DATABASE_URL"
	@echo "make test     run the tests, on SQLite and on PostgreSQL"
	@echo "make test-slow     run the tests that repeat a promise on more examples, on both"
	@echo "make test-browser  test the admin in an installed Chromium, and every kind of page against WCAG 2.2 AA"
	@echo "make screenshots   update the screenshots in the docs"
	@echo "make lint     check the code style; style sheets and scripts too if node is installed"
	@echo "make types    check the types"
	@echo "make check    check migrations and production settings"
	@echo "make fuzz     send thousands of generated requests to the API, on SQLite and on PostgreSQL"
	@echo "make openapi  update docs/openapi.json, which a test compares with the API"
	@echo "make bench    compare the nested reads with an idiomatic version, on SQLite and on PostgreSQL"
	@echo "make bench-import  compare large imports and exports with parsing and inserting alone, on both"
	@echo "make test-kill     kill imports at random times, on both, and check that they are all or nothing"
	@echo "make clean    remove the virtual environment and the linters; the demo's data in .chargetree stays"

run: $(VENV)/.runtime
	@$(PY) -m config.local
	@$(PY) manage.py migrate --no-input --verbosity 0
	@$(PY) manage.py seed_demo --welcome "http://localhost:$${PORT:-8000}"
	@exec $(PY) -m gunicorn config.wsgi --bind "$${BIND:-127.0.0.1}:$${PORT:-8000}" --workers 2 \
		--worker-class gthread --threads 4 --no-control-socket --log-level warning

# Run $$run on both databases, even if the first one fails.
ON_BOTH = sqlite=0; postgresql=0; \
	echo "== SQLite"; (unset TEST_DATABASE_URL; eval "$$run") || sqlite=$$?; \
	echo "== PostgreSQL"; $(PY) -m tests.postgres sh -c "$$run" || postgresql=$$?; \
	echo "== exit codes: SQLite $$sqlite, PostgreSQL $$postgresql"; \
	[ $$sqlite -eq 0 ] && [ $$postgresql -eq 0 ]

test: $(VENV)/.dev
	@run="$(PY) -m pytest -n 2 --dist worksteal -m 'not slow'"; $(ON_BOTH)

test-slow: $(VENV)/.dev
	@run="$(PY) -m pytest -n 2 --dist worksteal -m slow"; $(ON_BOTH)

test-browser: $(VENV)/.dev
	@$(PY) -m pytest -o "python_files=browse_*.py" -n 2 --dist worksteal tests/browser

screenshots: $(VENV)/.dev
	@$(PY) -m tests.browser.screenshots

lint: $(VENV)/.dev
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "NOT LINTED: style sheets and scripts (there is no node here)"; \
	elif ! $(NODE_IS_NEW); then \
		echo "NOT LINTED: style sheets and scripts (node here is $$(node --version), and 20.19 or later is needed)"; \
	else \
		exec $(MAKE) --no-print-directory lint-static; \
	fi

NODE_IS_NEW = node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b > 18) ? 0 : 1)'

lint-static: node_modules/.installed
	@node_modules/.bin/stylelint "static/**/*.css"
	@node_modules/.bin/eslint static *.config.js

types: $(VENV)/.dev
	@$(PY) -m mypy

# With production settings and throwaway secrets.
check: $(VENV)/.dev
	@secret() { $(PY) -c 'import secrets; print(secrets.token_urlsafe(48))'; }; \
	export CHARGETREE_ENVIRONMENT=production SECRET_KEY="$$(secret)" API_KEY_PEPPER="$$(secret)" \
		ALLOWED_HOSTS=chargetree.example DATABASE_URL=sqlite://:memory:; \
	$(PY) manage.py makemigrations --check --dry-run && $(PY) manage.py check --deploy --fail-level WARNING

bench: $(VENV)/.dev
	@run="$(PY) -m tests.bench"; $(ON_BOTH)

bench-import: $(VENV)/.dev
	@run="$(PY) -m tests.bench.imports"; $(ON_BOTH)

test-kill: $(VENV)/.dev
	@run="$(PY) -m tests.kill_imports"; $(ON_BOTH)

fuzz: $(VENV)/.dev
	@export FUZZ=long; run="$(PY) -m pytest -s tests/fuzz"; $(ON_BOTH)

openapi: $(VENV)/.dev
	@$(PY) -m tests.openapi

clean:
	@rm -rf $(VENV) node_modules

$(VENV)/.runtime: requirements/runtime.txt
	@$(VENV_READY)
	@echo "Installing dependencies into $(VENV) …"
	@$(PIP) --requirement requirements/runtime.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt
	@$(VENV_READY)
	@echo "Installing development dependencies into $(VENV) …"
	@$(PIP) --requirement requirements/dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	@echo "Installing the linters of style sheets and scripts into node_modules …"
	@npm ci --ignore-scripts --silent
	@touch $@

# Recreate a broken environment: its creation was interrupted, or its Python is gone.
VENV_READY = $(PY) -m pip --version >/dev/null 2>&1 || { \
	command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) not found: install Python 3.11 or later, or choose another one with make PYTHON=…" >&2; exit 1; }; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); Chargetree needs 3.11 or later: choose one with make PYTHON=python3.12" >&2; exit 1; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module: install it (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }; \
	$(PYTHON) -m venv --clear $(VENV); }
