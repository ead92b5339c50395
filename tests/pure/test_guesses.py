"""What an author may have meant by a link that means no note."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import parse
from coursemill.pure.guesses import Guesses
from coursemill.pure.vault import VaultMap

PATHS = (
    "notes/160_Python/TensorFlow/_TensorFlow_MOC.md",
    "notes/160_Python/TensorFlow/Tensors.md",
    "notes/180_Big_Data/Spark/Spark-Streaming.md",
    "notes/180_Big_Data/Spark/RDD_Resilient_Distributed_Dataset.md",
    "notes/Café Crème.md",
    "notes/a/index.md",
    "notes/b/index.md",
    "notes/pictures/plot.png",
)


def guesses(*more: str) -> Guesses:
    aliased = parse.lesson("notes/Keras.md", "---\naliases: [Keras Models, DNN]\n---\nText.\n")
    return Guesses(VaultMap.of([aliased, *(parse.lesson(path, "") for path in more)], PATHS))


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("TensorFlow_MOC", ["_TensorFlow_MOC"]),
        ("tensorflow moc", ["_TensorFlow_MOC"]),
        ("MOC_TensorFlow", ["_TensorFlow_MOC"]),
        ("_Tensors", ["Tensors"]),
        ("Tensor", ["Tensors"]),
        ("Spark_Streaming", ["Spark-Streaming"]),
        ("SparkStreamings", ["Spark-Streaming"]),
        ("Spark Straeming", ["Spark-Streaming"]),
        ("Cafe_Creme", ["Café Crème"]),
        ("old/folder/Tensors", ["Tensors"]),
        ("old/folder/Tensor.md", ["Tensors"]),
        ("keras model", ["Keras"]),
        ("RDD", ["RDD_Resilient_Distributed_Dataset"]),
        ("c/index", ["a/index", "b/index"]),
        ("indexes", ["a/index", "b/index"]),
        ("elsewhere/plot.png", []),
        ("TF_MOC", ["_TensorFlow_MOC"]),
        ("TensorFrames_MOC", []),
        ("TrueFalse_MOC", []),
        ("Spark_Streaming_in_Keras", ["Spark-Streaming"]),
        ("Tensors_and_so_on", []),
        ("Dask", []),
        ("", []),
        ("_-_", []),
    ],
)
def test_what_was_meant(target: str, found: list[str]) -> None:
    assert guesses().near(target, "notes/x.md") == found


def test_advice() -> None:
    assert guesses().advice("Tensor") == "did you mean `Tensors`?"
    assert guesses().advice("c/index") == "did you mean `a/index` or `b/index`?"
    assert guesses().advice("Dask") == ""


def test_a_missing_note_that_others_write_otherwise() -> None:
    texts = {"a": "[[x/_Soup_MOC]] [[Soup_MOC]] [[x/_Soup_MOC]]", "b": "[[_Soup_MOC]] [[Alone]] [[soup mocs]]"}
    asked = Guesses(VaultMap.of(parse.lesson(f"notes/{name}.md", text) for name, text in texts.items()))
    assert asked.near("Soup_MOC") == []
    assert {name: asked.twin(name) for name in ("Soup_MOC", "_Soup_MOC", "soup mocs", "x/_Soup_MOC", "Alone")} == {
        "Soup_MOC": "x/_Soup_MOC",
        "_Soup_MOC": "x/_Soup_MOC",
        "soup mocs": "x/_Soup_MOC",
        "x/_Soup_MOC": "",
        "Alone": "",
    }
    assert asked.advice("Soup_MOC") == ("did you mean `x/_Soup_MOC`, which is missing, too, and linked to more often?")


@given(st.text(max_size=20))
def test_whatever_is_asked_a_link_to_the_answer_is_one_of_the_notes(target: str) -> None:
    asked = guesses()
    for name in asked.near(target):
        assert asked.vault.resolve(name, "notes/x.md")


def test_ten_thousand_notes_are_no_matter() -> None:
    many = Guesses(VaultMap.of([], (f"notes/{n % 40}/Lesson_{n:05}_on_something.md" for n in range(10_000))))
    began = time.process_time()
    for n in range(500):
        assert many.near(f"Lesson {n:05} on somethings") == [f"Lesson_{n:05}_on_something"]
        many.near(f"Nothing_{n}_of_this")
    assert time.process_time() - began < 10
