"""What is surely wrong in a d2 source."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import d2

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "node_modules" / "@terrastruct" / "d2"


def found(source: str) -> list[str]:
    return [f"{one.line}:{one.col} {one.message}" for one in d2.mistakes(source)]


@pytest.mark.parametrize(
    ("source", "mistakes"),
    [
        ("a: {\n  shape: process\n}", ["2:10 unknown shape `process`"]),
        ("a: One {shape: devise; b.shape: foo}", ["1:16 unknown shape `devise`", "1:33 unknown shape `foo`"]),
        ("a.b.shape: 'round'", ["1:12 unknown shape `round`"]),
        ("a: {\n  b: {\n    shape: database # x\n  }\n}\nc", ["3:12 unknown shape `database`"]),
        ("*.shape: foo", ["1:10 unknown shape `foo`"]),
        ("classes: {k: {shape: foo}}", ["1:22 unknown shape `foo`"]),
        ("shape: foo", ["1:8 unknown shape `foo`"]),
        ("é: {shape: foo}", ["1:12 unknown shape `foo`"]),
        ("a -> b: {target-arrowhead: {shape: foo}}", ["1:36 unknown shape `foo`"]),
        ("a.style.fil: red", ["1:9 unknown style keyword `fil`"]),
        ("\nb: {style: {colour: red}}", ["2:13 unknown style keyword `colour`"]),
        ("a: {shape: Circle}\nb.shape: null\nc.style.fill: red", []),
        ("a -> b: {source-arrowhead.shape: cf-many; shape: arrow}", []),
        ("vars: {shape: foo}\nb: {shape: ${shape}}", []),
        ("# shape: foo\na: shape: foo\n'shape': foo\nb: {Shape: foo; \"shape\": foo}", []),
        ('a: "{shape: foo}" # {\nb: |md\n  shape: foo {\n|\nc: |`x | shape: foo `|\n"""\nshape: foo\n"""\n', []),
        ("a.shape: foo\na: {shape: circle}", []),
        ("a: [{shape: foo}; 1]\nb: {constraint: [x]}", []),
        ("a: {shape: sql_table; shape_of: foo}", []),
        ("", []),
    ],
)
def test_unknown_words_are_found_where_they_stand(source: str, mistakes: list[str]) -> None:
    assert found(source) == mistakes


@pytest.mark.parametrize(
    ("shape", "fix"),
    [
        ("process", "did you mean `step` or `rectangle`?"),
        ("proces", "did you mean `step` or `rectangle`?"),
        ("databse", "did you mean `cylinder` or `stored_data`?"),
        ("Database", "did you mean `cylinder` or `stored_data`?"),
        ("device", "did you mean `rectangle` or `page`?"),
        ("hexagone", "did you mean `hexagon`?"),
        ("zzz", f"the shapes: {', '.join(sorted(d2.SHAPES))}"),
    ],
)
def test_what_was_meant(shape: str, fix: str) -> None:
    assert [one.fix for one in d2.mistakes(f"a: {{shape: {shape}}}")] == [fix]


@pytest.mark.parametrize(
    ("source", "odd"),
    [
        ('a -> b\nstyle a { icon: "x" }', ["2:1 `style a {…}` draws a shape of that name"]),
        ("style: {fill: red}\nstyle.fill: red\nb: style a", []),
        (
            'shape: sequence_diagram\na: A {\n  b: "B" {\n    shape: step\n  }\n  c: C\n}\nd -> a.b: x\na.c -> d',
            ["1:1 `shape: sequence_diagram` draws `a.b` and 1 more as bars, without their labels"],
        ),
        ("shape: sequence_diagram\na; c\ngroup: G {a -> c: hi}\na.t -> c", []),
        ("a: A {b: B}\na.b -> c", []),
        ("shape: sequence_diagram\na: A {b: B}\na -> c", []),
        ("shape: sequence_diagram\na: {shape: person; label: x}\na.shape -> c", []),
    ],
)
def test_what_is_drawn_otherwise_than_meant(source: str, odd: list[str]) -> None:
    assert [f"{one.line}:{one.col} {one.message}" for one in d2.oddities(source)] == odd


def test_every_suggestion_is_a_shape() -> None:
    assert {shape for meant in d2.MEANT.values() for shape in meant} <= d2.SHAPES
    assert not d2.MEANT.keys() & d2.SHAPES


def test_the_compilers_messages_in_our_words() -> None:
    assert d2.explained('unknown shape "process"') == ("unknown shape `process`", "did you mean `step` or `rectangle`?")
    assert d2.explained('invalid style keyword: "strok"')[1].startswith("did you mean `stroke`")
    assert d2.explained("maps must be terminated with }") == ("maps must be terminated with }", "")


PIECES = ("a", "shape", ": ", "{", "}", "\n", "foo", "|", "'", '"', "[", "#", "style.")


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read_and_places_are_right(source: str) -> None:
    lines = source.split("\n")
    for one in (*d2.mistakes(source), *d2.oddities(source)):
        assert 1 <= one.line <= len(lines)
        assert 1 <= one.col <= len(lines[one.line - 1])


@pytest.mark.skipif(not PACKAGE.is_dir() or not shutil.which("node"), reason="needs Node and `npm ci`")
def test_the_lists_are_the_compilers() -> None:
    good = [f"a: {{shape: {shape}; icon: x}}" for shape in sorted(d2.SHAPES)]
    good += [f"a -> b: {{target-arrowhead: {{shape: {head}}}}}" for head in sorted(d2.ARROWHEADS)]
    bad = [f"a: {{shape: {name}}}" for name in sorted({*d2.MEANT, "foo", *d2.ARROWHEADS - d2.SHAPES})]
    styles = [f"a.style.{name}: 0" for name in sorted(d2.STYLES)]
    script = ROOT / "src/coursemill/effects/renderers/d2.mjs"
    command = ["node", "--liftoff-only", str(script), str(ROOT), "compile"]
    sources = json.dumps([*good, *bad, *styles, "a.style.color: 0"])
    done = subprocess.run(command, input=sources, capture_output=True, text=True, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.endswith("}")]
    assert said[: len(good)] == [{}] * len(good)
    assert all("shape" in one["error"] for one in said[len(good) : len(good) + len(bad)])
    assert not any("keyword" in one.get("error", "") for one in said[len(good) + len(bad) : -1])
    assert "invalid style keyword" in said[-1]["error"]
