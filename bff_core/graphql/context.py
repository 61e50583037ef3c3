"""The context of resolvers (`info.context`): builds compositions and closes them at the end."""

from collections.abc import Hashable
from typing import TypeAlias, TypeVar

import strawberry
from graphql import DocumentNode

from bff_core.auth.viewer import Viewer
from bff_core.composition.composition import Composition, close
from bff_core.composition.tracked_scope import tracked
from bff_core.composition.wiring import Wiring
from bff_core.events import Events
from bff_core.graphql.inputs import checked, hashable
from bff_core.scope import Scope, Wired

C = TypeVar("C", bound=Composition)
W = TypeVar("W", bound=Wired)


class Context:
    """The context of one request for its resolvers: `info.context`.

    `scope` records which facts of the request resolvers read, if the answer may be cached;
    `untracked_scope` is the same request without that, for access checks. `document` is the parsed
    query. `changes` are the paths of the fields of a mutation that have started. `failure` is the
    first error that a service caused; `is_reported` is whether a bug of a resolver was reported.
    """

    __slots__ = (
        "_shared",
        "_wiring",
        "changes",
        "compositions",
        "document",
        "failure",
        "is_reported",
        "scope",
        "untracked_scope",
    )

    def __init__(self, scope: Scope, wiring: Wiring) -> None:
        self.scope = tracked(scope)
        self.untracked_scope = scope
        self.compositions: list[Composition] = []
        self.changes: set[tuple[str | int, ...]] = set()
        self.document: DocumentNode | None = None
        self.failure: Exception | None = None
        self.is_reported = False
        self._wiring = wiring
        self._shared: dict[Hashable, Composition] = {}

    def compose(self, cls: type[C], **inputs: object) -> C:
        """Return the composition of this class and these inputs; the first call builds it.

        Fields that call this with the same arguments share the composition, its parts and loaders.
        """
        key: Hashable = (cls, *sorted(inputs.items()))
        try:
            known = self._shared.get(key)
        except TypeError:  # an input object
            key = hashable(key)
            known = self._shared.get(key)
        if known is None:
            known = self._shared[key] = self.compose_anew(cls, **inputs)
        return known  # type: ignore[return-value]  # the key holds its class

    def compose_anew(self, cls: type[C], **inputs: object) -> C:
        """Return a composition that no other field shares.

        For mutations, so that each reads what it has changed. Raises `InvalidInput` for inputs
        that are out of bounds.
        """
        composition = self._wiring.build(cls, self.untracked_scope, checked(cls, inputs))
        self.compositions.append(composition)
        return composition

    def forget_shared(self) -> None:
        """Let later calls of `compose` build compositions anew, which read what has changed."""
        self._shared.clear()

    def wired(self, cls: type[W]) -> W:
        """Return a value of a type that is built from the request (a locale, a screen width)."""
        return cls.from_scope(self.scope)

    @property
    def events(self) -> Events:
        """The sinks to which the gateway emits events."""
        return self._wiring.events

    @property
    def viewer(self) -> Viewer:
        """The caller."""
        return Viewer.from_scope(self.scope)

    async def aclose(self) -> None:
        """Close all compositions; parts that still run are cancelled."""
        await close(self.compositions)


Info: TypeAlias = strawberry.Info[Context, None]
"""The type of a resolver's `info` parameter."""
