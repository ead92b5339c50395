import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.model import Block, Span
from coursemill.pure.raw import kinds
from coursemill.pure.raw.kinds import file_path, kind, look, statements

FIXTURE = (Path(__file__).parent / "fixtures" / "kinds.md").read_text(encoding="utf-8")
CASES = re.findall(r"^## (\w+): (.+)\n\n`````(\w*)\n([\s\S]*?)\n?`````$", FIXTURE, re.MULTILINE)
TEXTS = [case[3] for case in CASES]


def block(text: str, language: str = "python", role: str = "") -> Block:
    return Block(Span("n.md", 1, 2 + text.count("\n")), 2, text, language, language, role)


@pytest.mark.parametrize(
    ("expected", "language", "text"), [(c[0], c[2], c[3]) for c in CASES], ids=[": ".join(c[:2]) for c in CASES]
)
def test_kinds(expected: str, language: str, text: str) -> None:
    found = look(block(text, language))
    assert (found.kind, found.reason) == (expected, found.reason)
    assert found.reason
    assert kind(block(text, language)) == expected


def test_every_case_is_read() -> None:
    assert len(CASES) == FIXTURE.count("\n## ") > 60
    assert {case[0] for case in CASES} == set(get_args(kinds.Kind))


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("# shop/items.py\nx = 1", "python", "shop/items.py"),
        ("\n# shop/items.py\nx = 1", "python", "shop/items.py"),
        ("# ./shop/items.py", "python", "shop/items.py"),
        ("# File: shop/items.py", "python", "shop/items.py"),
        ("# filename: `items.py`", "python", "items.py"),
        ("# shop/items.py (the schema)", "python", "shop/items.py"),
        ("#!/usr/bin/env python3\n# run.py", "python", "run.py"),
        ("// src/app.ts", "typescript", "src/app.ts"),
        ("{# templates/a.html #}", "jinja", "templates/a.html"),
        ("; setup.cfg", "ini", "setup.cfg"),
        ("# .env", "bash", ".env"),
        ("# requirements.txt\nbirds", "text", "requirements.txt"),
        ("# ../shop/items.py", "python", ""),
        ("# /etc/items.py", "python", ""),
        ("# C:/items.py", "python", ""),
        ("# see shop/items.py", "python", ""),
        ("# e.g. items.py", "python", ""),
        ("# shop/items.js", "python", ""),
        ("# Pricing", "python", ""),
        ("# model.fit", "python", ""),
        ("# 3.11", "python", ""),
        ("# train/test", "python", ""),
        ("// Node script (e.g., predict.js)", "javascript", ""),
        ("x = 1  # shop/items.py", "python", ""),
        ("import shop\n# shop/items.py", "python", ""),
        ("", "python", ""),
    ],
)
def test_file_paths(text: str, language: str, expected: str) -> None:
    assert file_path(block(text, language)) == expected


@pytest.mark.parametrize(
    ("text", "language", "role", "expected"),
    [
        ("x = 1\nprint(x)", "python", "", (2, 2)),
        ("# x = 1\n# print(x)", "python", "", (0, 2)),
        ("import os\n# x = 1\n# print(x)", "python", "", (1, 3)),
        ("import os\n# x = 1\n# print(x)", "python", "show", (0, 0)),
        ("for x in", "python", "", (0, 0)),
        ("x = 1\nif x:\n    # print(x)", "python", "", (0, 2)),
        ("%time f()\n!ls", "python", "", (2, 2)),
        ('x = "\\d"', "python", "", (1, 1)),
        ("x = 1", "", "", (0, 0)),
        ("ls", "bash", "", (0, 0)),
    ],
)
def test_statements(text: str, language: str, role: str, expected: tuple[int, int]) -> None:
    assert statements(block(text, language, role)) == expected


def test_the_role_says_what_output_is() -> None:
    assert kind(block("x = 1", "text", "output")) == "output"


LINES = st.one_of(st.sampled_from([line for text in TEXTS for line in text.split("\n")]), st.text(max_size=12))


@given(st.lists(LINES, max_size=20).map("\n".join), st.sampled_from(["python", "", "text", "bash", "html", "js", "x"]))
def test_any_block_has_a_kind(text: str, language: str) -> None:
    found = look(block(text, language))
    assert found.kind in get_args(kinds.Kind)
    now, after = statements(block(text, language))
    assert now >= 0
    assert after >= 0
    file_path(block(text, language))
