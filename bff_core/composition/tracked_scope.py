"""A request's scope that records what a composition reads of it, for the view cache."""

from copy import copy
from typing import Final

from bff_core.answer_cacheability import PER_TENANT, PER_VIEWER, AnswerCacheability, Sharing
from bff_core.scope import Scope

NARROWED_BY: Final[dict[str, Sharing]] = {
    "audience": PER_VIEWER,
    "viewer": PER_VIEWER,
    "tenant": PER_TENANT,
}
"""If one of these fields is read, other viewers (or other tenants) may not share the answer.

A header that is read becomes part of the cache key, and so does the query as a whole. If any other
field is read, the answer is not cached.
"""


class TrackedScope(Scope):
    """A `Scope` that records each read in the answer's dependencies.

    The fields of `Scope` are never set on it, so that each access ends in `__getattr__`, also that
    of a field that is added to `Scope` later.
    """

    __slots__ = ("_dependencies", "_scope")
    # `dataclasses.replace` calls this: it makes a plain scope, after it has read every field.
    __class__ = property(lambda _: Scope)

    _dependencies: AnswerCacheability
    _scope: Scope

    def __init__(self, scope: Scope, dependencies: AnswerCacheability) -> None:
        # Without the `__init__` of `Scope`, which would set the fields.
        object.__setattr__(self, "_scope", scope)
        object.__setattr__(self, "_dependencies", dependencies)

    def __getattr__(self, name: str) -> object:
        sharing = NARROWED_BY.get(name)
        if sharing is not None:
            self._dependencies.narrow(sharing, f"the {name} of the request")
        elif name == "query":
            self._dependencies.has_query = True
        else:
            self._dependencies.forbid(name)
        return getattr(self._scope, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._dependencies.forbid(name)
        setattr(self._scope, name, value)

    def header(self, name: str) -> str | None:
        """Return a request header, and record that the answer depends on it."""
        self._dependencies.add_header(name)
        return self._scope.header(name)

    def __copy__(self) -> Scope:
        self._dependencies.forbid("scope")
        return copy(self._scope)


def tracked(scope: Scope) -> Scope:
    """Return a scope that records what is read of it, if an answer's dependencies are recorded."""
    dependencies = scope.dependencies
    return scope if dependencies is None else TrackedScope(scope, dependencies)
