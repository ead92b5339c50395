"""Every rule about outdated names is held against the library that is installed: a rule that is wrong fails here."""

import contextlib
import importlib
import inspect
import re
import sys
import warnings
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from coursemill.pure import parse
from coursemill.pure.raw import apirules, outdated
from coursemill.pure.raw.apirules import Rule

BOOK = apirules.book()
ROOTS = {"numpy", "pandas", "tensorflow", "keras", "pyspark", "scrapy", "bs4", "w3lib", "itemloaders", "parsel"}
DOTTED = re.compile(r"^-?([A-Za-z_]\w*(?:\.\w+)+)")
GONE = object()


def versions() -> dict[str, str]:
    found = {}
    for name in BOOK.distributions:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


VERSIONS = versions()


def installed(rule: Rule) -> str:
    names = BOOK.libraries[rule.library].distributions
    return next((VERSIONS[name] for name in names if name in VERSIONS), "")


HERE = [rule for rule in BOOK.rules if installed(rule) and rule.holds(installed(rule))]
NAMES = [rule for rule in HERE if rule.name and not rule.called]
CALLS = [rule for rule in HERE if rule.example]


def named(rules: list[Rule]) -> Any:
    return [pytest.param(rule, id=rule.id) for rule in rules]


def reach(name: str) -> Any:
    """What a full name stands for; GONE when there is nothing."""
    head, *rest = name.split(".")
    try:
        found: Any = importlib.import_module(head)
    except ImportError:
        return GONE
    module = head
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in rest:
            owner, module = found, f"{module}.{part}"
            try:
                found = getattr(owner, part)
            except (AttributeError, ImportError):
                try:
                    found = importlib.import_module(module)
                except ImportError:
                    return GONE
    return found


def test_there_are_rules_for_every_library_and_their_ids_are_unique() -> None:
    assert {rule.library for rule in BOOK.rules} == set(BOOK.libraries)
    ids = [rule.id for rule in BOOK.rules]
    assert len(ids) == len(set(ids)), {one for one in ids if ids.count(one) > 1}
    assert len(ids) > 300
    assert all(rule.source and rule.fix for rule in BOOK.rules)


def test_versions_and_patterns_are_well_formed() -> None:
    for rule in BOOK.rules:
        assert rule.holds("1.0") in (True, False)
        for pattern in (rule.text, rule.words, rule.near, rule.beside):
            re.compile(pattern)


@pytest.mark.parametrize("rule", named([rule for rule in NAMES if rule.kind in ("removed", "moved")]))
def test_what_is_said_to_be_gone_is_not_there(rule: Rule) -> None:
    for name in rule.name:
        if name.startswith("*."):
            typed = [one for other in NAMES for one in other.name if one.endswith(name[1:]) and not one.startswith("*")]
            assert typed, f"{name}: no rule says of which type it is"
        elif name.endswith(".*"):
            assert rule.example
        else:
            assert reach(name) is GONE, f"{name} is there"
            twin = f"tensorflow.{name}"
            if name.startswith("keras.") and not any(twin in other.name for other in BOOK.rules):
                assert reach(twin) is GONE, f"{twin} is there: it needs a rule of its own"


@pytest.mark.parametrize("rule", named([rule for rule in NAMES if rule.kind == "deprecated"]))
def test_what_is_said_to_be_deprecated_is_there_and_says_so(rule: Rule) -> None:
    for name in rule.name:
        if name.startswith("*.") or name.endswith("[]="):
            continue
        found = reach(name)
        assert found is not GONE, f"{name} is gone"
        assert found is reach(rule.fix) or says_deprecated(name, found), f"{name} does not say that it is deprecated"


def says_deprecated(name: str, found: Any) -> bool:
    """Whether the library says so: by a warning on the way to it, in its docstring, in its source."""
    owner, _, last = name.rpartition(".")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.suppress(AttributeError):
            getattr(reach(owner), last)
    texts = [str(one.message) for one in caught]
    raw = inspect.getattr_static(reach(owner), last, found)
    for one in (found, raw, getattr(raw, "fget", None), getattr(found, "__init__", None)):
        texts.append(getattr(one, "__doc__", None) or "")
        with contextlib.suppress(TypeError, OSError):
            texts.append(inspect.getsource(one))
    return any(re.search("deprecat|will be removed|backward compat", text, re.IGNORECASE) for text in texts)


@pytest.mark.parametrize("rule", named([rule for rule in HERE if rule.name]))
def test_what_is_advised_is_there(rule: Rule) -> None:
    for word in re.split(r", | or ", rule.fix) if " " not in rule.fix or " or " in rule.fix else [rule.fix]:
        match = DOTTED.match(word)
        if match and match[1].partition(".")[0] in ROOTS and find_spec(match[1].partition(".")[0]):
            assert reach(match[1]) is not GONE, f"{match[1]} is not there either"


@pytest.mark.parametrize("rule", named(CALLS))
def test_an_example_is_found_and_the_mended_one_is_not(rule: Rule) -> None:
    assert rule.id in found(rule.example)
    assert rule.id not in found(rule.right)


def found(code: str) -> list[str]:
    lesson = parse.lesson("notes/N.md", f"```python\n{code}\n```\n")
    return [re.findall(r"\[([^\[\]]+)\]", finding.message)[-1] for finding in outdated.find(lesson, VERSIONS)]


@pytest.mark.parametrize("rule", named([rule for rule in CALLS if rule.raises or rule.warns or rule.proof]))
def test_an_example_does_what_the_rule_says(rule: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if rule.verified:  # it takes more than a line to see it
        return
    if rule.raises:
        with pytest.raises(Exception) as raised, warnings.catch_warnings():  # noqa: PT012 # both belong together
            warnings.simplefilter("ignore")
            run(rule.example)
        assert rule.raises in [cls.__name__ for cls in type(raised.value).__mro__]
    elif rule.warns:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run(rule.example)
        assert any(rule.warns in [cls.__name__ for cls in one.category.__mro__] for one in caught)
    else:
        run(rule.proof)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(rule.right)
    assert not [one for one in caught if rule.warns and rule.warns == one.category.__name__], caught


def run(code: str) -> None:
    exec(compile(code, "<example>", "exec"), {"__name__": "example"})


@pytest.mark.parametrize("rule", named([one for one in HERE if one.keyword and one.kind == "removed" and not one.text]))
def test_arguments_that_are_gone_are_in_no_signature(rule: Rule) -> None:
    for name in rule.name:
        function = GONE if "*" in name or ".column" in name else reach(name)
        if function is not GONE:
            assert not signature(function).intersection(rule.keyword), name


def signature(function: Any) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


@pytest.mark.parametrize(
    "rule", named([rule for rule in CALLS if rule.kind == "deprecated" and not rule.warns and not rule.verified])
)
def test_arguments_that_are_deprecated_say_so(rule: Rule) -> None:
    texts = [inspect.getdoc(reach(name)) or "" for name in rule.name]
    for name in rule.name:
        with contextlib.suppress(TypeError, OSError):
            texts.append(inspect.getsource(inspect.unwrap(reach(name))))
    assert any("deprecat" in text.lower() and word in text for text in texts for word in rule.keyword)


@pytest.mark.parametrize("rule", named([rule for rule in HERE if rule.verified]))
def test_what_stands_in_a_librarys_files(rule: Rule) -> None:
    where, _, text = rule.verified.removeprefix("no ").partition(": ")
    packages = Path(str(metadata.distribution("numpy").locate_file("")))
    files = list(files_of(packages, where))
    if not text:
        assert bool(files) != rule.verified.startswith("no "), rule.verified
    else:
        holds = any(text in file.read_text(encoding="utf-8", errors="replace") for file in files)
        assert files
        assert holds != rule.verified.startswith("no "), rule.verified


def files_of(packages: Path, where: str) -> Iterator[Path]:
    if "*" in where:
        yield from packages.glob(where)
    elif (packages / where).is_dir():
        yield from (packages / where).rglob("*.py")
    else:
        yield packages / where


def test_the_tests_see_the_libraries() -> None:
    missing = [key for key, library in BOOK.libraries.items() if not any(n in VERSIONS for n in library.distributions)]
    if missing:
        pytest.skip(f"not installed here, so not looked at: {', '.join(missing)}")
    assert "numpy" in sys.modules or VERSIONS["numpy"]


@pytest.mark.parametrize("library", BOOK.libraries.values(), ids=BOOK.libraries)
def test_signs_stand_in_all_words(library: apirules.Library) -> None:
    """What has no sign is not searched for words, so each alternative must hold one."""
    alternatives = library.words.pattern.split("|")
    plain = [re.sub(r"\\b|\[ _\]\?|\\w", "", one).replace("\\.", ".") for one in alternatives]
    assert all(any(sign in one for sign in library.signs) for one in plain)
    assert all(library.words.search(one) or library.words.search(f"{one}x") for one in plain)
