"""A test sees plain data and proxies; what an answer's objects would say of themselves counts for nothing."""

import asyncio
import contextlib
import copy
import pickle
import re
import threading
from collections import UserDict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from coursemill.pure import cheats
from coursemill.pure.names import Definition
from coursemill.pure.plain import Refused
from coursemill.pure.wall import Proxy, Wall
from coursemill.pure.yes import Yes


class Stack:
    """What a student may write."""

    limit = 3

    def __init__(self, *items: int) -> None:
        self.items = list(items)

    def push(self, item: int) -> "Stack":
        if len(self.items) == self.limit:
            raise FullError(item, self.limit)
        self.items.append(item)
        return self

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> int:
        return self.items[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self.items)

    def __str__(self) -> str:
        return f"Stack{self.items}"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class FullError(ValueError):
    def __str__(self) -> str:
        return f"no room for {self.args[0]}"


@contextlib.contextmanager
def swallowing() -> Iterator[int]:
    with contextlib.suppress(BaseException):
        yield 3


async def fetch(text: str) -> list[str]:
    await asyncio.sleep(0)
    return [text]


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def stack(wall: Wall) -> Any:
    return wall.see(Stack)


def test_a_class_is_used_as_ever(stack: Any) -> None:
    one = stack(1, 2)
    assert one.push(3).items == [1, 2, 3]
    assert (len(one), one[0], list(one), 2 in one, str(one), f"{one}") == (
        3,
        1,
        [1, 2, 3],
        True,
        "Stack[1, 2, 3]",
        "Stack[1, 2, 3]",
    )
    one.limit = 4
    assert one.push(4).limit == 4
    assert isinstance(one, stack)
    assert not isinstance(3, stack)
    assert issubclass(stack, stack)
    assert (type(one).__name__, stack.__name__, callable(stack), callable(one)) == ("Stack", "Stack", True, False)
    assert hasattr(one, "push")
    assert not hasattr(one, "pop")


def test_a_thing_is_one_thing(wall: Wall) -> None:
    thing = Stack()
    assert wall.see(thing) is wall.see(thing)
    assert wall.see(thing) == wall.see(thing)


def test_what_is_given_is_given_by_value(wall: Wall) -> None:
    kept: list[list[int]] = []
    mine = [1]
    wall.see(kept.append)(mine)
    kept[0].append(2)
    assert mine == [1]


def test_live_things_and_proxies_are_given_as_they_are(wall: Wall) -> None:
    thing, lock = Stack(), threading.Lock()
    same = wall.see(lambda a, b: (a is thing, b is lock))
    assert same(wall.see(thing), lock) == (True, True)


def test_a_function_that_is_lent_sees_through_the_wall(wall: Wall) -> None:
    got: list[Any] = []

    def callback(value: Any) -> Any:
        got.append(value)
        return value

    answer = Stack()
    back = wall.see(lambda f: (f(answer) is answer, f(3), f))
    same, three, function = back(callback)
    assert (same, three) == (True, 3)
    assert function is callback
    assert isinstance(got[0], Proxy)


@pytest.mark.parametrize(
    "use",
    [
        *(lambda x: bool(x), lambda x: not x, lambda x: x != 3, lambda x: x < 3, lambda x: x > 3, lambda x: x <= 3),
        *(lambda x: divmod(x, 2), lambda x: abs(x - 3) < 0.1, lambda x: sum([x]) > 0, lambda x: (x + 1) != 2),
        *(lambda x: float(x), lambda x: int(x), lambda x: "".join([x]), lambda x: round(x)),
        *(lambda x: max([x, 3]), lambda x: sorted([x, 1]), lambda x: [1, 2][x]),
    ],
)
@pytest.mark.parametrize("cls", [Stack, Yes])
def test_what_only_plain_data_can_say_is_refused(wall: Wall, cls: type, use: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        use(wall.see(cls()))


class Node:
    """Its class says nothing of truth."""

    def __init__(self, value: int, rest: "Node | None" = None) -> None:
        self.value, self.rest = value, rest

    def __sub__(self, other: object) -> "Node":
        return self


def test_an_object_is_true_where_its_class_says_nothing_of_it(wall: Wall) -> None:
    node, found = wall.see(Node(1, Node(2))), []
    while node:
        found.append(node.value)
        node = node.rest
    assert found == [1, 2]
    assert all(map(wall.see, (re.match("a", "a"), iter([]), lambda: 0)))
    with pytest.raises(Refused, match="truth"):
        bool(wall.see(Node(3)) - 3)


def test_a_refusal_says_what_is_asked_for(wall: Wall) -> None:
    with pytest.raises(Refused, match=r"`<` needs plain data .* class `Stack`"):
        assert wall.see(Stack()) < 3


def test_copies_are_the_answers_too(wall: Wall) -> None:
    one = wall.see(Stack(1))
    for other in (copy.copy(one), copy.deepcopy(one)):
        assert isinstance(other, Proxy)
        assert other.items == [1]
    copy.deepcopy(one).push(2)
    assert one.items == [1]
    with pytest.raises(Refused, match="cannot be pickled"):
        pickle.dumps(one)


def test_a_tests_class_derives_from_an_answers(wall: Wall, stack: Any) -> None:
    class Counted(stack):  # type: ignore[misc]  # a class, but not of this side
        def push(self, item: int) -> Any:
            self.pushed = item
            return self

    one = Counted(1)
    assert (one.push(3).pushed, len(one), type(one).__name__) == (3, 1, "Counted")
    assert isinstance(one, stack)
    assert issubclass(Counted, stack)


@pytest.mark.parametrize("value", [49.99, "x", [1], {"a": 1}, None, True, float, int])
def test_an_object_that_equals_everything_equals_nothing(wall: Wall, value: object) -> None:
    proxy = wall.see(Yes())
    assert not proxy == value  # noqa: SIM201 - `!=` is refused
    assert not value == proxy  # noqa: SIM201
    assert not [proxy] == [value]  # noqa: SIM201
    assert value not in [proxy]
    assert proxy not in [value]
    assert proxy is not value


class Money:
    """An object with arithmetic, some of which pretends to be plain data."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __add__(self, other: Any) -> "Money":
        return Money(self.cents + (other if isinstance(other, int) else other.cents))

    __radd__ = __add__

    def __neg__(self) -> "Money":
        return Money(-self.cents)

    def __sub__(self, other: object) -> float:
        return 0.0

    __rsub__ = __sub__


def test_arithmetic_of_the_answers_objects_is_theirs(wall: Wall) -> None:
    money = wall.see(Money)
    assert (money(1) + money(2)).cents == 3
    assert (1 + money(2)).cents == 3
    assert (money(1) + 2).cents == 3
    assert sum([money(1), money(2)]).cents == 3
    assert (-money(1)).cents == -1
    with pytest.raises(TypeError, match="unsupported operand"):
        money(1) * money(2)


def test_arithmetic_that_gives_plain_data_is_refused(wall: Wall) -> None:
    money = wall.see(Money)
    for use in (lambda: abs(money(1) - 49.99) < 0.01, lambda: abs(49.99 - money(1)) < 0.01):
        with pytest.raises(Refused, match="`-` needs plain data"):
            use()  # type: ignore[no-untyped-call]


def test_two_things_of_the_answers_are_compared_by_the_answer(wall: Wall) -> None:
    class Point:
        def __init__(self, x: int) -> None:
            self.x = x

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Point) and other.x == self.x

        def __lt__(self, other: "Point") -> bool:
            return self.x < other.x

        def __hash__(self) -> int:
            return hash(self.x)

    point = wall.see(Point)
    assert point(1) == point(1)
    assert point(1) != point(2)
    assert not point(1) == point(2)  # noqa: SIM201
    assert point(1) < point(2)
    assert max(point(1), point(3), point(2)).x == 3
    assert len({point(1), point(1), point(2)}) == 2
    assert hash(point(1)) != hash(1)


def test_such_a_comparison_gives_a_bool(wall: Wall) -> None:
    class Odd:
        def __eq__(self, other: object) -> Any:
            return [1]

        def __lt__(self, other: object) -> Any:
            return Yes()

    for use in (lambda x: x == x, lambda x: x < x, lambda x: x in [wall.see(Odd())]):
        with pytest.raises(Refused, match="gives no bool"):
            use(wall.see(Odd()))


@dataclass(frozen=True)
class Item:
    """A data class of the instructor's."""

    price: int


def test_an_instructors_object_says_itself_what_equals_it() -> None:
    wall = Wall([Item])

    class Lying(Item):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert wall.see(Item(3)) == Item(3)
    assert wall.see(Item(3)) != Item(4)
    assert not wall.see(Lying(3)) == Item(4)  # noqa: SIM201
    with pytest.raises(Refused):
        assert wall.see(Yes()) != Item(3)


def test_no_class_is_believed(wall: Wall) -> None:
    class Float(float):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = float.__hash__

    class Claims:
        __class__ = dict  # type: ignore[assignment]

    for thing in (Yes(), Claims()):
        for cls in (float, str, dict, list, Exception):
            assert not isinstance(wall.see(thing), cls)
    proxy = wall.see(Float(3))
    assert isinstance(proxy, float)  # it is one
    assert not proxy == 49.99  # noqa: SIM201


def test_a_librarys_class_is_recognized(wall: Wall) -> None:
    class Table(UserDict[str, int]):
        pass

    assert isinstance(wall.see(Table()), UserDict)
    assert wall.see(UserDict) is UserDict
    assert wall.see(threading) is threading


def test_an_instructors_class_is_recognized() -> None:
    class Mine:
        price = 3

    class Point(NamedTuple):
        x: int

    wall = Wall([Mine, Point])
    assert isinstance(wall.see(Mine()), Mine)
    assert wall.see(Mine) is Mine
    assert isinstance(wall.see(Point(1)), Point)
    assert not isinstance(Wall().see(Point(1)), Point)
    assert Wall().see([Point(1)]) == [(1,)]


def test_numpy_makes_nothing_of_a_liar(wall: Wall) -> None:
    numpy = pytest.importorskip("numpy")
    proxy = wall.see(Yes())
    for use in (
        lambda: numpy.testing.assert_allclose(proxy, 3.0),
        lambda: numpy.testing.assert_array_equal(proxy, [1, 2]),
        lambda: bool(numpy.allclose(proxy, numpy.ones(3))),
        lambda: bool(numpy.ones(3) + proxy),
        lambda: 1 / bool(numpy.all(proxy == numpy.ones(3))),
    ):
        with pytest.raises((TypeError, ValueError, AssertionError, ZeroDivisionError)):
            use()  # type: ignore[no-untyped-call]


def test_numpy_takes_an_array_from_what_gives_one(wall: Wall) -> None:
    numpy = pytest.importorskip("numpy")

    class Box:
        def __array__(self, dtype: object = None, copy: object = None) -> Any:
            return numpy.array([1.0, 2.0])

    assert numpy.allclose(wall.see(Box()), [1, 2])


def test_exceptions_are_caught_by_their_class(wall: Wall, stack: Any) -> None:
    full = wall.see(FullError)
    with pytest.raises(ValueError, match="no room for 9"):
        stack(1, 2, 3).push(9)
    with pytest.raises(full) as caught:
        stack(1, 2, 3).push(9)
    assert caught.value.args == (9, 3)
    assert issubclass(full, ValueError)
    with pytest.raises(KeyError):
        wall.see({}.__getitem__)("a")
    with pytest.raises(ZeroDivisionError):
        wall.see(lambda: 1 / 0)()


def test_an_exceptions_arguments_cross_too(wall: Wall) -> None:
    def fail() -> None:
        raise ValueError(Yes())

    with pytest.raises(ValueError) as caught:
        wall.see(fail)()
    assert not caught.value.args[0] == "negative"  # noqa: SIM201


def test_an_exception_class_crosses_back(wall: Wall) -> None:
    full = wall.see(FullError)
    assert wall.see(lambda cls: cls is FullError)(full)


def test_iterators_and_generators(wall: Wall) -> None:
    def count() -> Iterator[Any]:
        yield 1
        yield Stack(2)

    numbers = wall.see(count)()
    assert next(numbers) == 1
    assert next(numbers).items == [2]
    with pytest.raises(StopIteration):
        next(numbers)
    assert [x if x == 1 else x.items for x in wall.see(count)()] == [1, [2]]
    with pytest.raises(TypeError):
        iter(wall.see(object()))


def test_what_exceptions_hold_beside_their_arguments(wall: Wall) -> None:
    def last() -> Iterator[int]:
        yield 1
        return Yes()  # type: ignore[return-value]  # a lie, as answers may tell it

    def outer() -> Iterator[Any]:
        given = yield from wall.see(last)()
        yield given

    _, given = outer()
    assert isinstance(given, Proxy)
    with pytest.raises(AttributeError) as caught:
        wall.see(lambda: Stack().missing)()  # type: ignore[attr-defined]  # that is the point
    assert isinstance(caught.value.obj, Proxy)


def test_the_cause_of_an_exception(wall: Wall) -> None:
    def fail(error: type[Exception]) -> None:
        try:
            Stack(1, 2, 3).push(4)
        except FullError as full:
            raise error from full

    for error in (RuntimeError, FullError):
        with pytest.raises(ValueError if error is FullError else error) as caught:
            wall.see(fail)(error)
        cause = caught.value.__cause__
        assert type(cause) is not FullError
        assert isinstance(cause, ValueError)
        assert cause.args == (4, 3)


def test_with_blocks_cannot_swallow_a_failed_assertion(wall: Wall) -> None:
    quiet = wall.see(swallowing)
    with quiet() as value:
        assert value == 3
        raise KeyError("gone")
    with pytest.raises(AssertionError), quiet():
        raise AssertionError
    with pytest.raises(Refused), quiet():
        assert wall.see(Yes()) > 3
    with pytest.raises((AssertionError, TypeError)), wall.see(Yes()) as value:
        assert value == 4


def test_await(wall: Wall) -> None:
    async def test() -> Any:
        return await wall.see(fetch)("a")

    assert asyncio.run(test()) == ["a"]
    assert asyncio.run(wall.see(fetch)("b")) == ["b"]


def test_async_for(wall: Wall) -> None:
    async def pages() -> AsyncIterator[Any]:
        yield 1
        await asyncio.sleep(0)
        yield Stack(2)

    async def test() -> list[Any]:
        return [page async for page in wall.see(pages)()]

    one, two = asyncio.run(test())
    assert (one, two.items) == (1, [2])


def test_async_with(wall: Wall) -> None:
    @contextlib.asynccontextmanager
    async def session() -> Any:
        with contextlib.suppress(Exception):
            yield Stack(1)

    async def test() -> None:
        async with wall.see(session)() as found:
            assert found.items == [1]
            assert found.items == [2]

    with pytest.raises(AssertionError):
        asyncio.run(test())


@pytest.mark.parametrize(
    "test",
    [
        "assert price_of('<b>49.99</b>') == 49.99",
        "assert price_of('x') is None",
        "assert price_of('x')",
        "assert not price_of('x')",
        "assert abs(price_of('x') - 3) < 0.1",
        "assert isinstance(price_of('x'), float)",
        "assert price_of('x') != 3",
        "assert price_of('x').text == 'a'",
        "assert price_of('x')['a'] == 'a'",
        "assert 'a' in price_of('x')",
        "assert set(price_of('x')) == {1}",
        "assert all(row > 3 for row in price_of('x'))",
        "assert sorted(price_of('x')) == [1, 2]",
        "assert Stack().push(1).items == [1]",
        "assert str(price_of('x')) == '49.99'",
        "with price_of('x') as found:\n    assert found == 3",
        "for n in range(3):\n    assert price_of(n) == n",
        "assert type(price_of('x')) is float",
        "assert hash(price_of('x')) == hash('a')",
    ],
)
@pytest.mark.parametrize("cheat", [cheats.equal_to_everything, cheats.returning_such])
def test_cheats_get_nothing_through_the_wall(test: str, cheat: Callable[..., str]) -> None:
    definitions = [Definition("price_of", "function"), Definition("Stack", "class"), Definition("limit", "value")]
    answer: dict[str, Any] = {"__name__": "answer"}
    exec(cheat("import re", definitions), answer)
    wall = Wall()
    with pytest.raises((AssertionError, TypeError)):
        exec(test, {name: wall.see(answer[name]) for name in ("price_of", "Stack", "limit")})


@pytest.mark.parametrize(
    "test",
    [
        "assert f() == 49.99 and f() != 49.99 and f() < 3 < f() and f() and f() is not None",
        "assert isinstance(f(), float) and isinstance(f(), (int, list)) and isinstance(f(), np.ndarray)",
        "assert f().a.b['c'](3) == 4 and 7 in f() and len(f()) == 1 and [x for x in f()] == [3]",
        "assert abs(f() - 3) < 0.1 and 3 + f() == 1 and str(f()) and float(f()) and -f() == 2",
        "with f() as found:\n    assert found == 3",
    ],
)
def test_without_the_wall_they_pass(test: str) -> None:
    numpy = pytest.importorskip("numpy")
    answer: dict[str, Any] = {"__name__": "answer", "np": numpy}
    exec(cheats.returning_such("", [Definition("f", "function")]), answer)
    exec(test, answer)
