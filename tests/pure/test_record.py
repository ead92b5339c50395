import json
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import record
from coursemill.pure.frameworks import needed, of
from coursemill.pure.record import LONGEST, MOST, Model, Record

WHOLE = Record(
    machine=("GPU 0: NVIDIA H200",),
    devices={"tensorflow": ("GPU:0 NVIDIA H200",)},
    backend="tensorflow",
    libraries={"keras": "3.15.1"},
    models=(Model("model", "Sequential", {"GPU:0": 4}), Model("raw", "Model")),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)
FIELDS = st.sampled_from(["machine", "devices", "backend", "libraries", "models", "missing"])


def test_a_record_is_read_as_it_was_written() -> None:
    assert record.read(json.loads(json.dumps(asdict(WHOLE)))) == WHOLE


@given(JSON | st.dictionaries(FIELDS, JSON))
def test_whatever_a_kernel_says_is_read(data: object) -> None:
    found = record.read(data)
    assert record.read(json.loads(json.dumps(asdict(found)))) == found


def test_what_is_too_much_or_could_steer_a_terminal_is_cut() -> None:
    found = record.read(
        {"backend": "\x1b[31m" + "x" * 1000, "machine": ["a"] * 1000, "models": [{"devices": {"a": "b"}}]}
    )
    assert len(found.backend) == LONGEST
    assert "\x1b" not in found.backend
    assert len(found.machine) == MOST
    assert found.models == (Model("", ""),)


def test_where_a_model_is_in_words() -> None:
    assert [record.placed(model) for model in WHOLE.models] == [
        "model (Sequential): GPU:0",
        "raw (Model): no variables yet",
    ]


def test_modules_stand_for_frameworks_and_keras_for_its_backend() -> None:
    assert of(["keras.layers", "os", "jaxlib", "torch"]) == ("jax", "keras", "torch")
    assert needed(["keras"], "") == {"tensorflow"}
    assert needed(["keras", "torch"], "jax") == {"jax", "torch"}
