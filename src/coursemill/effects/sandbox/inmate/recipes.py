"""Objects of libraries that a test gives to an answer: how the other process makes its like.

A recipe is a library's function or class, by name, and what to call it with. What an object holds beside that does not
cross: an object that would not come out as it is has no recipe.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from typing import Any

from coursemill.pure.plain import Refused

Recipe = tuple[str, str, list[Any], dict[str, Any]]
"""Module, name in it, arguments."""
HERE = ""
"""Stands for this module, whose functions make some."""


def of(value: Any) -> Recipe | None:
    """The recipe of an object of a library's class; None: there is none. Raises Refused."""
    cls = type(value)
    make = RECIPES.get(f"{cls.__module__}.{cls.__qualname__}")
    return make(value) if make else None


def _soup(value: Any) -> Recipe:
    return ("bs4", "BeautifulSoup", [str(value), value.builder.NAME], {})


def _tag(value: Any) -> Recipe:
    """A tag: its whole document, and the way to it."""
    top, way = value, []
    while top.parent is not None:
        way.append(next(i for i, child in enumerate(top.parent.contents) if child is top))
        top = top.parent
    soups = sys.modules["bs4"]
    parser = top.builder.NAME if isinstance(top, soups.BeautifulSoup) else "html.parser"
    if not isinstance(top, soups.BeautifulSoup):
        way.append(0)
    markup, way = str(top), way[::-1]
    if tag(markup, parser, way) != value:
        raise Refused("a tag of a document that is read differently when it is written cannot be given to an answer")
    return (HERE, "tag", [markup, parser, way], {})


def tag(markup: str, parser: str, way: list[int]) -> Any:
    """Return the tag to which `way` leads through the contents of tags."""
    found = importlib.import_module("bs4").BeautifulSoup(markup, parser)
    for step in way:
        found = found.contents[step]
    return found


def _response(value: Any) -> Recipe:
    cls = type(value)
    given: dict[str, Any] = {name: getattr(value, name) for name in ("url", "status", "body", "flags", "request")}
    given["headers"] = dict(value.headers.items())  # a dict of lists of bytes
    if hasattr(value, "encoding"):
        given["encoding"] = value.encoding
    return (cls.__module__, cls.__qualname__, [], given)


def _request(value: Any) -> Recipe:
    cls = type(value)
    names = ("url", "method", "body", "cookies", "meta", "encoding", "priority", "dont_filter", "flags", "cb_kwargs")
    given = {name: getattr(value, name) for name in names}
    given |= {name: getattr(value, name) for name in ("callback", "errback") if getattr(value, name) is not None}
    given["headers"] = dict(value.headers.items())  # a dict of lists of bytes
    given["meta"], given["cb_kwargs"] = dict(value.meta), dict(value.cb_kwargs)
    return (cls.__module__, cls.__qualname__, [], given)


def _generator(value: Any) -> Recipe:
    return (HERE, "generator", [type(value.bit_generator).__name__, value.bit_generator.state], {})


def generator(kind: str, state: dict[str, Any]) -> Any:
    """Return a generator of numpy's in this state."""
    numpy = importlib.import_module("numpy.random")
    made = getattr(numpy, kind)()
    made.state = state
    return numpy.Generator(made)


def _random(value: random.Random) -> Recipe:
    return (HERE, "randomness", [value.getstate()], {})


def randomness(state: Any) -> random.Random:
    """Return a generator of Python's in this state."""
    made = random.Random()
    made.setstate(state)
    return made


RECIPES: dict[str, Callable[[Any], Recipe]] = {
    "re.Pattern": lambda value: ("re", "compile", [value.pattern, value.flags], {}),
    "bs4.BeautifulSoup": _soup,
    "bs4.element.Tag": _tag,
    **{f"scrapy.http.response.{name}": _response for name in ("Response", "text.TextResponse")},
    **{f"scrapy.http.response.{name}": _response for name in ("html.HtmlResponse", "xml.XmlResponse")},
    "scrapy.http.response.json.JsonResponse": _response,
    "scrapy.http.request.Request": _request,
    "types.SimpleNamespace": lambda value: ("types", "SimpleNamespace", [], dict(vars(value))),
    "argparse.Namespace": lambda value: ("argparse", "Namespace", [], dict(vars(value))),
    "array.array": lambda value: ("array", "array", [value.typecode, value.tolist()], {}),
    "builtins.mappingproxy": lambda value: ("types", "MappingProxyType", [dict(value)], {}),
    "collections.UserDict": lambda value: ("collections", "UserDict", [dict(value)], {}),
    "collections.ChainMap": lambda value: ("collections", "ChainMap", list(value.maps), {}),
    "numpy.random._generator.Generator": _generator,
    "random.Random": _random,
}
