"""The docs say what the attacks show."""

from hostile.pages import pages


def test_the_pages_are_up_to_date() -> None:
    for page, text in pages().items():
        assert page.read_text(encoding="utf-8") == text, "cd tests/attacks && python -m hostile.pages"
