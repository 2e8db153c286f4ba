"""Errors at a chosen call of a chosen method, before or after its effect."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Fault:
    """Fails the calls ``nth`` to ``nth + times - 1`` of a method, counted from now."""

    error: BaseException
    times: int
    after_effect: bool
    nth: int

    def strike(self) -> None:
        """Happen."""
        raise self.error

    @property
    def spent(self) -> bool:
        return self.times == 0

    def strikes(self) -> bool:
        """Count one call; whether it is to fail."""
        self.nth -= 1
        if self.nth > 0 or self.spent:
            return False
        self.times -= 1
        return True


class Faults:
    """The faults in wait and the names of all calls so far, such as ``credentials.add``."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._waiting: dict[str, list[Fault]] = {}

    def fail(
        self,
        method: str,
        error: BaseException,
        *,
        times: int = 1,
        after_effect: bool = False,
        nth: int = 1,
    ) -> None:
        """Raise *error* from the *nth* call on, *times* times; *after_effect* loses the answer."""
        if method not in METHODS:
            raise ValueError(f"no fake has {method}; there are {', '.join(sorted(METHODS))}")
        self._waiting.setdefault(method, []).append(Fault(error, times, after_effect, nth))

    def take(self, method: str) -> Fault | None:
        self.calls.append(method)
        struck = [fault for fault in self._waiting.get(method, []) if fault.strikes()]
        return struck[0] if struck else None

    async def reach(self, method: str) -> None:
        """What passes between asking and the effect: other tasks run, as in a real call."""
        await asyncio.sleep(0)

    def effect(self, method: str, part: object) -> AbstractContextManager[None]:
        """Surrounds the effect of a call on *part*, which is one moment; for simulations."""
        return nullcontext()

    def count(self, method: str) -> int:
        return self.calls.count(method)


METHODS: set[str] = set()
"""Every method that can be made to fail; filled by `fallible`."""


class Faulty(Protocol):
    """A fake that owns or shares a `Faults`."""

    @property
    def faults(self) -> Faults: ...


S = TypeVar("S", bound=Faulty)


def fallible(
    name: str,
) -> Callable[
    [Callable[Concatenate[S, P], Coroutine[Any, Any, T]]],
    Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
]:
    """Let tests make this method fail; every call also lets other tasks run, as real ones do."""
    METHODS.add(name)

    def wrap(
        method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
    ) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
        async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            fault = self.faults.take(name)
            await self.faults.reach(name)
            if fault is not None and not fault.after_effect:
                fault.strike()
            with self.faults.effect(name, self):
                answer = await method(self, *args, **kwargs)
            if fault is not None:
                fault.strike()
            return answer

        functools.update_wrapper(call, method)
        return call

    return wrap
