"""Findings can be printed, whatever a note holds."""

from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import codes, parse


@given(st.text(), st.text())
def test_a_finding_is_one_line(message: str, fix: str) -> None:
    found = codes.LINK_UNRESOLVED.at("notes/A.md", 1, message, fix=fix)
    for text in (found.message, found.fix):
        assert text
        assert text.isprintable()
        assert len(text) <= codes.LONGEST


def test_what_an_author_wrote_is_shown_so_far_as_it_can_be() -> None:
    note = f'---\nworksheet: "a\\nb\\e[31m"\ntimeout: {"9" * 5000}\n---\n# Text\n'
    worksheet, timeout = parse.lesson("notes/A.md", note).findings
    assert worksheet.message.startswith(r"`a\nb")
    assert "cannot name a worksheet" in worksheet.message
    assert timeout.message.startswith("`timeout` is `999")
    assert timeout.message.endswith("9…")
