import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from papermill.cli import _resolve_type

from coursemill.errors import ConfigError
from coursemill.pure import parameters
from coursemill.pure.parameters import Parameter

CELL = """\
import os
epochs = 2  # passes over the data; gpu: 20; tpu: 40
size: int = 100  # rows, gpu: 1e4
name = "gpu: 3"
rates = [
    0.1,
]  # gpu: None
a.b = 1
"""


def test_parameters_are_the_names_that_the_cell_assigns() -> None:
    assert parameters.declared(CELL) == (
        Parameter("epochs", {"gpu": 20, "tpu": 40}),
        Parameter("size", {"gpu": 1e4}),
        Parameter("name", {}),
        Parameter("rates", {"gpu": None}),
    )
    assert parameters.declared("x = = 1") == ()


def test_an_accelerator_sets_its_values_and_the_command_line_has_the_last_word() -> None:
    declared = parameters.declared(CELL)
    assert parameters.chosen(declared, "cpu", []) == {}
    assert parameters.chosen(declared, "gpu", []) == {"epochs": 20, "size": 1e4, "rates": None}
    assert parameters.chosen(declared, "gpu", [("epochs", "1"), ("other", "2")])["epochs"] == 1
    assert parameters.chosen(declared, "cpu", [("name", "x y"), ("other", "2")]) == {"name": "x y"}


def test_an_unknown_parameter_is_refused_with_the_lessons_own() -> None:
    lessons = {"A": [Parameter("epochs", {})], "B": [Parameter("size", {}), Parameter("epochs", {})], "C": []}
    parameters.refuse_unknown([("size", "1")], lessons)
    with pytest.raises(ConfigError) as refused:
        parameters.refuse_unknown([("size", "1"), ("epoch", "1")], lessons)
    assert str(refused.value) == (
        "no chosen lesson has a parameter `epoch` "
        "(did you mean `epochs`? the parameters are A: epochs; B: epochs, size)"
    )
    with pytest.raises(ConfigError, match="the chosen lessons have no parameters"):
        parameters.refuse_unknown([("x", "1")], {"C": []})


@given(
    st.one_of(st.text(), st.integers().map(str), st.floats().map(str), st.sampled_from(["True", "None", "1_0", " 3"]))
)
def test_words_get_the_types_that_papermill_gives_them(word: str) -> None:
    ours, theirs = parameters.typed(word), _resolve_type(word)
    assert type(ours) is type(theirs)
    assert ours == theirs or (isinstance(ours, float) and math.isnan(ours) and math.isnan(theirs))
