import pytest


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as in a terminal of 120 columns, whatever runs the tests."""
    monkeypatch.setenv("COLUMNS", "120")
