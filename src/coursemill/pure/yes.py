"""The strongest object that says yes to everything. Its source is put into cheats' cells: it uses nothing of here."""


class Yes:
    """Equal to everything, true, ordered either way, and itself again whatever is asked of it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __getattr__(self, name: str) -> object:
        return self

    def __setattr__(self, name: str, value: object) -> None:
        pass

    def _claim(self) -> object:
        """Claim the class that the caller has just named, as in `isinstance(x, Model)`."""
        import dis
        import sys

        frame = sys._getframe(1)
        value: object = None
        claimed: object = type(self)
        for step in dis.get_instructions(frame.f_code):
            if step.offset >= frame.f_lasti:
                break
            if step.opname in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FAST", "LOAD_DEREF"):
                names = {**frame.f_builtins, **frame.f_globals, **frame.f_locals}
                value = names.get(step.argval)
            elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                value = getattr(value, step.argval, None)
            else:
                continue
            if issubclass(type(value), type):
                claimed = value
        return claimed

    __class__ = property(_claim)

    def __eq__(self, other: object) -> bool:
        return True

    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __instancecheck__ = __subclasscheck__ = __eq__

    def __bool__(self) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __len__(self) -> int:
        return 1

    __int__ = __index__ = __len__

    def __float__(self) -> float:
        return 1.0

    def __complex__(self) -> complex:
        return 1 + 0j

    def __str__(self) -> str:
        return "1"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return "1"

    def __bytes__(self) -> bytes:
        return b"1"

    def __fspath__(self) -> str:
        return "."

    def __iter__(self) -> object:
        return iter([self])

    __reversed__ = __iter__

    def __call__(self, *args: object, **kwargs: object) -> object:
        return self

    __next__ = __getitem__ = __enter__ = __neg__ = __pos__ = __abs__ = __invert__ = __call__
    __round__ = __trunc__ = __floor__ = __ceil__ = __call__
    __add__ = __sub__ = __mul__ = __matmul__ = __truediv__ = __floordiv__ = __mod__ = __divmod__ = __call__
    __pow__ = __lshift__ = __rshift__ = __and__ = __xor__ = __or__ = __call__
    __radd__ = __rsub__ = __rmul__ = __rmatmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __call__
    __rdivmod__ = __rpow__ = __rlshift__ = __rrshift__ = __rand__ = __rxor__ = __ror__ = __call__

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __delitem__(self, key: object) -> None:
        pass

    def __exit__(self, *error: object) -> bool:
        return True

    def __await__(self):  # type: ignore[no-untyped-def]  # a generator's type would have to be imported
        yield from ()
        return self

    async def __aenter__(self) -> object:
        return self

    async def __aexit__(self, *error: object) -> bool:
        return True

    async def __aiter__(self) -> object:
        yield self
