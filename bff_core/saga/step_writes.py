"""Which steps write to a service, as far as their bytecode shows.

A write to a service without Idempotency-Keys needs a check. `upstream.caller` refuses one that the
bytecode does not show when it is sent. A write before the commit point needs a compensation.
"""

import dis
import inspect
from collections.abc import Callable, Iterator
from itertools import takewhile
from types import CodeType
from typing import Any, Final, NamedTuple

from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError
from bff_core.policy.edge.idempotency import UNSAFE
from bff_core.saga.record import StepPlan
from bff_core.upstream.caller import KEYED, Caller, unkeyed
from bff_core.upstream.client import Upstream
from bff_core.upstream.graphql.client import GraphQLUpstream


class Writes(NamedTuple):
    """The writes that a search finds: by the verbs of an upstream, or by HTTP methods."""

    verbs: frozenset[str]
    methods: frozenset[str]
    counts_keyed: bool
    """Whether a request with a key of its own counts."""


UNREPEATABLE: Final = Writes(frozenset({"mutate", "patch", "post"}), KEYED, counts_keyed=False)
"""Requests that may not be sent twice (RFC 9110, section 9.2.2)."""

EVERY: Final = Writes(
    frozenset({"delete", "mutate", "patch", "post", "put"}), UNSAFE, counts_keyed=True
)

ANY_METHOD: Final = frozenset({"call", "request", "stream", "typed"})
"""Verbs that send whichever method they are given."""

_ATTRIBUTE: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


def plans_of(kind: Any) -> list[StepPlan]:
    """Return the plan of each step of a saga class.

    Raises `ConfigurationError` for a step that writes to a service without keys and has no check,
    and for a step before the commit point that writes and has no compensation.
    """
    services = {
        name: service for name, service in shape_of(kind).services if issubclass(service, Caller)
    }
    unkeyed_services = {name: one for name, one in services.items() if not one.policy.keyed}
    plans = [_plan(kind, step, unkeyed_services) for step in kind.steps]
    for step in takewhile(lambda one: not one.commits, kind.steps):
        _check_compensation(kind, step, services)
    return plans


def _check_compensation(kind: Any, step: Any, services: dict[str, type[Caller]]) -> None:
    if step.undo is not None or not step.needs_compensation:
        return
    service = _written_service(kind, step.body, services, EVERY)
    if service is not None:
        name = step.name
        raise ConfigurationError(
            f"{kind.__name__}.{name} writes to {service.__name__} and has no compensation: if a "
            f"later step fails, it stays done. Declare @{name}.compensation, or "
            "@step(needs_compensation=False) if nothing has to be undone, as after a POST that "
            "only reads"
        )


def _plan(kind: Any, step: Any, services: dict[str, type[Caller]]) -> StepPlan:
    has_check, undo_has_check = step.lookup is not None, step.undo_lookup is not None
    unkeyed_service = _written_service(kind, step.body, services, UNREPEATABLE)
    if unkeyed_service is not None and not has_check:
        raise ConfigurationError(unkeyed(f"{kind.__name__}.{step.name}", unkeyed_service.__name__))
    is_undo_keyed = True
    if step.undo is not None:
        unkeyed_service = _written_service(kind, step.undo, services, UNREPEATABLE)
        is_undo_keyed = unkeyed_service is None
        if unkeyed_service is not None and not (has_check or undo_has_check):
            raise ConfigurationError(
                unkeyed(f"{kind.__name__}.{step.undo.__name__}", unkeyed_service.__name__)
            )
    return StepPlan(
        step.name,
        step.commits,
        step.undo is not None,
        has_check=has_check,
        undo_has_check=undo_has_check,
        undo_is_keyed=is_undo_keyed,
    )


def _written_service(
    kind: Any, body: Callable[..., object], services: dict[str, type[Caller]], writes: Writes
) -> type[Caller] | None:
    """Return a service to which a method, or one that it calls, may write."""
    for code in _codes(kind, body):
        is_exempt = not writes.counts_keyed and _has_own_key(code)
        for name, method in () if is_exempt else _attributes(code):
            service = services.get(name)
            if service is not None and _may_write(service, method, writes):
                return service
    return None


def _may_write(service: type[Caller], method: str | None, writes: Writes) -> bool:
    """Return whether a method of a service may write; an unknown method may."""
    if method in writes.verbs:
        return True
    verbs = GraphQLUpstream if issubclass(service, GraphQLUpstream) else Upstream
    if method is not None and hasattr(verbs, method):
        return method in ANY_METHOD
    body = None if method is None else inspect.getattr_static(service, method, None)
    codes = list(_codes(service, body)) if inspect.isroutine(body) else []
    return not codes or any(_writes(code, writes) for code in codes)


def _writes(code: CodeType, writes: Writes) -> bool:
    names, texts = set(code.co_names), {text.upper() for text in _strings_in(code.co_consts)}
    if not writes.counts_keyed and _has_own_key(code):
        return False
    return bool(writes.verbs & names or (ANY_METHOD & names and writes.methods & texts))


def _has_own_key(code: CodeType) -> bool:
    return any(text.lower() == "idempotency-key" for text in _strings_in(code.co_consts))


def _codes(owner: type, body: Any) -> Iterator[CodeType]:
    """Yield the code of a method, of inner functions, and of the methods of `owner` it calls."""
    visited: set[CodeType] = set()
    pending: list[Any] = [body]
    while pending:
        item = pending.pop()
        code = (
            item if isinstance(item, CodeType) else getattr(inspect.unwrap(item), "__code__", None)
        )
        if code is None or code in visited:
            continue
        visited.add(code)
        yield code
        pending += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
        members = [inspect.getattr_static(owner, name, None) for name in code.co_names]
        pending += [item for item in members if inspect.isfunction(item) and not _is_verb(item)]


def _is_verb(function: Any) -> bool:
    return getattr(GraphQLUpstream, function.__name__, None) is function


def _attributes(code: CodeType) -> Iterator[tuple[str, str | None]]:
    """Yield each attribute that code reads, with the attribute that it reads of that, if any."""
    steps = [item for item in dis.get_instructions(code) if item.opname != "CACHE"]
    for item, following in zip(steps, [*steps[1:], None], strict=True):
        if item.opname in _ATTRIBUTE:
            is_chained = following is not None and following.opname in _ATTRIBUTE
            yield item.argval, following.argval if following is not None and is_chained else None


def _strings_in(constants: tuple[object, ...]) -> Iterator[str]:
    for item in constants:
        if isinstance(item, str):
            yield item
        elif isinstance(item, tuple):
            yield from _strings_in(item)
