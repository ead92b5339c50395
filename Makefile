# Two commands: `make course` and `make test`. Both set up what is missing first.
.PHONY: course test setup docs bench clean
COURSEMILL := .venv/bin/coursemill

course:
	@start=$$(date +%s); \
	scripts/setup.sh && { $(COURSEMILL) build; built=$$?; $(COURSEMILL) run --kernel cpu; ran=$$?; [ $$built -eq 0 ] && [ $$ran -eq 0 ]; }; \
	status=$$?; echo "make course took $$(( $$(date +%s) - start )) s"; exit $$status

test: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	$(COURSEMILL) build --check
	.venv/bin/pytest -n $${PYTEST_JOBS:-auto} --dist worksteal --durations 20

setup:
	@scripts/setup.sh

# The pages that are made from the code; a test compares them.
docs: setup
	.venv/bin/python -m coursemill.faces.reference > docs/reference/cli.md
	$(COURSEMILL) check --explain all > docs/reference/codes.md
	cd tests/attacks && ../../.venv/bin/python -m hostile.pages

bench: setup
	.venv/bin/python -m benchmarks

clean:
	rm -rf build .mypy_cache .pytest_cache .ruff_cache .hypothesis
