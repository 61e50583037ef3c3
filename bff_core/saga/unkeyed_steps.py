"""Which steps write to a service that keeps no Idempotency-Keys, as far as their code shows.

A write that the code does not show is refused when it is made, by `upstream.caller`.
"""

import dis
import inspect
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, Final

from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError
from bff_core.saga.record import StepPlan
from bff_core.upstream.caller import KEYED, Caller, unkeyed
from bff_core.upstream.client import Upstream

WRITES: Final = frozenset({"patch", "post"})
"""Verbs whose requests may not be sent twice (RFC 9110, section 9.2.2)."""

ANY_METHOD: Final = frozenset({"call", "request", "stream", "typed"})
"""Verbs that send whichever method they are given."""

_ATTRIBUTE: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


def plans_of(kind: Any) -> list[StepPlan]:
    """Return the steps of a saga as decisions see them.

    Raises `ConfigurationError` for a step that writes to a service without keys and has no check.
    """
    services = {
        name: service
        for name, service in shape_of(kind).services
        if issubclass(service, Caller) and not service.policy.keyed
    }
    return [_plan(kind, step, services) for step in kind.steps]


def _plan(kind: Any, step: Any, services: dict[str, type[Caller]]) -> StepPlan:
    has_check, undo_has_check = step.lookup is not None, step.undo_lookup is not None
    written = _written(kind, step.body, services)
    if written is not None and not has_check:
        raise ConfigurationError(unkeyed(f"{kind.__name__}.{step.name}", written.__name__))
    is_undo_keyed = True
    if step.undo is not None:
        written = _written(kind, step.undo, services)
        is_undo_keyed = written is None
        if written is not None and not (has_check or undo_has_check):
            raise ConfigurationError(
                unkeyed(f"{kind.__name__}.{step.undo.__name__}", written.__name__)
            )
    return StepPlan(
        step.name,
        step.commits,
        step.undo is not None,
        has_check=has_check,
        undo_has_check=undo_has_check,
        undo_is_keyed=is_undo_keyed,
    )


def _written(
    kind: Any, body: Callable[..., object], services: dict[str, type[Caller]]
) -> type[Caller] | None:
    """Return a service without keys that a method, or one that it calls, writes to."""
    for code in _codes(kind, body):
        for name, method in () if _has_own_key(code) else _attributes(code):
            service = services.get(name)
            if service is not None and _may_write(service, method):
                return service
    return None


def _may_write(service: type[Caller], method: str | None) -> bool:
    """Whether a method of a service may write; one that is not known here may."""
    if method in WRITES:
        return True
    if method is not None and hasattr(Upstream, method):
        return method in ANY_METHOD
    body = None if method is None else inspect.getattr_static(service, method, None)
    codes = list(_codes(service, body)) if inspect.isroutine(body) else []
    return not codes or any(_writes(code) for code in codes)


def _writes(code: CodeType) -> bool:
    names, texts = set(code.co_names), {text.upper() for text in _texts(code.co_consts)}
    if _has_own_key(code):
        return False
    return bool(WRITES & names or (ANY_METHOD & names and KEYED & texts))


def _has_own_key(code: CodeType) -> bool:
    return any(text.lower() == "idempotency-key" for text in _texts(code.co_consts))


def _codes(owner: type, body: Any) -> Iterator[CodeType]:
    """Yield the code of a method, of what it defines, and of the owner's methods that it names."""
    found: set[CodeType] = set()
    waiting: list[Any] = [body]
    while waiting:
        one = waiting.pop()
        code = one if isinstance(one, CodeType) else getattr(inspect.unwrap(one), "__code__", None)
        if code is None or code in found:
            continue
        found.add(code)
        yield code
        waiting += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
        members = [inspect.getattr_static(owner, name, None) for name in code.co_names]
        waiting += [one for one in members if inspect.isfunction(one) and not _is_verb(one)]


def _is_verb(function: Any) -> bool:
    return getattr(Upstream, function.__name__, None) is function


def _attributes(code: CodeType) -> Iterator[tuple[str, str | None]]:
    """Yield each attribute that code reads, and which one of that it reads next, if any."""
    steps = [one for one in dis.get_instructions(code) if one.opname != "CACHE"]
    for one, following in zip(steps, [*steps[1:], None], strict=True):
        if one.opname in _ATTRIBUTE:
            is_chained = following is not None and following.opname in _ATTRIBUTE
            yield one.argval, following.argval if following is not None and is_chained else None


def _texts(constants: tuple[object, ...]) -> Iterator[str]:
    for one in constants:
        if isinstance(one, str):
            yield one
        elif isinstance(one, tuple):
            yield from _texts(one)
