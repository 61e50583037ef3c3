"""Compares which credentials two operations require."""

from collections.abc import Iterator, Mapping

from bff_core.contracts.changes.differences import OperationDifference
from bff_core.contracts.changes.words import plain
from bff_core.contracts.document import Security, SecurityScheme

_Schemes = Mapping[str, SecurityScheme]
_Alternative = Mapping[tuple[str, ...], frozenset[str]]
"""The scopes that each scheme needs, by what the scheme is, whatever it is called."""


def security_differences(
    before: tuple[Security | None, _Schemes], after: tuple[Security | None, _Schemes]
) -> Iterator[OperationDifference]:
    """Yield what changed about credentials: alternatives of schemes, and their scopes."""
    old, new = _alternatives(*before), _alternatives(*after)
    if not _is_open(new) and _is_open(old):
        yield _difference("security-added", f"it requires {_words(new[0])} now")
    elif _is_open(new) and not _is_open(old):
        yield _difference("security-removed", "it requires no credentials any more")
    elif not _is_open(new):
        yield from _differences(old, new)


def _differences(old: list[_Alternative], new: list[_Alternative]) -> Iterator[OperationDifference]:
    for one in old:
        nearest = [_missing(one, other) for other in new if other.keys() <= one.keys()]
        for scope in min(nearest, key=len, default=()):
            yield _difference("security-scope-added", f"the scope {plain(scope)} is required now")
        if not nearest:
            yield _difference("security-scheme-removed", f"{_words(one)} is no longer enough")
    for other in new:
        same = [one for one in old if one.keys() == other.keys()]
        if not same:
            yield _difference("security-scheme-added", f"{_words(other)} is accepted now")
        elif other not in same:
            for scope in _missing(other, same[0]):
                text = f"the scope {plain(scope)} is not required any more"
                yield _difference("security-scope-removed", text)


def _missing(given: _Alternative, required: _Alternative) -> list[str]:
    """Return the scopes that one alternative requires and the other does not have."""
    return sorted({scope for scheme in required for scope in required[scheme] - given[scheme]})


def _alternatives(security: Security | None, schemes: _Schemes) -> list[_Alternative]:
    return [
        {_identity(name, schemes): frozenset(scopes) for name, scopes in one.items()}
        for one in security or ()
    ]


def _identity(name: str, schemes: _Schemes) -> tuple[str, ...]:
    scheme = schemes.get(name)
    if scheme is None:
        return (name,)
    parameter = scheme.parameter.lower() if scheme.place == "header" else scheme.parameter
    return (scheme.kind, scheme.scheme.lower(), scheme.place, parameter)


def _is_open(alternatives: list[_Alternative]) -> bool:
    return not alternatives or any(not one for one in alternatives)


def _words(alternative: _Alternative) -> str:
    return " and ".join(" ".join(map(plain, filter(None, scheme))) for scheme in alternative)


def _difference(rule: str, text: str) -> OperationDifference:
    return OperationDifference(rule, text, "security")
