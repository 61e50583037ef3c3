"""What resolvers are handed: the request's screens, each built once and closed at its end."""

from collections.abc import Hashable
from typing import TypeAlias, TypeVar

import strawberry

from bff_core.auth.viewer import Viewer
from bff_core.composition.composition import Composition, close
from bff_core.composition.tracked_scope import watched
from bff_core.composition.wiring import Wiring
from bff_core.events import Events
from bff_core.graphql.inputs import checked
from bff_core.scope import Scope, Wired

C = TypeVar("C", bound=Composition)
W = TypeVar("W", bound=Wired)


class Context:
    """One request as resolvers see it: `info.context`.

    What they read of its `scope` is noted where the answer might be kept; `whole` is the same
    without that, for those who only look whether a field may be asked for. `failure` is the first
    error of a field that a service is to blame for; bugs of resolvers are `is_reported`.
    """

    __slots__ = ("_shared", "_wiring", "compositions", "failure", "is_reported", "scope", "whole")

    def __init__(self, scope: Scope, wiring: Wiring) -> None:
        self.scope = watched(scope)
        self.whole = scope
        self.compositions: list[Composition] = []
        self.failure: Exception | None = None
        self.is_reported = False
        self._wiring = wiring
        self._shared: dict[Hashable, Composition] = {}

    def compose(self, cls: type[C], **inputs: Hashable) -> C:
        """Return the request's screen of this class and these inputs, built when first asked for.

        Fields that ask for the same screen share it, its parts and its loaders.
        """
        key: Hashable = (cls, *sorted(inputs.items()))
        known = self._shared.get(key)
        if known is None:
            known = self._shared[key] = self.compose_anew(cls, **inputs)
        return known  # type: ignore[return-value]  # the key holds its class

    def compose_anew(self, cls: type[C], **inputs: object) -> C:
        """Return a screen that is shared with no other field.

        For mutations: each has to do its own work, and to see what it has changed. Inputs that are
        out of their bounds raise `InvalidInput`.
        """
        composition = self._wiring.build(cls, self.whole, checked(cls, inputs))
        self.compositions.append(composition)
        return composition

    def wired(self, cls: type[W]) -> W:
        """Return a fact of the request (a locale, a screen width), as compositions get it."""
        return cls.from_scope(self.scope)

    @property
    def events(self) -> Events:
        """Where the gateway tells what happens."""
        return self._wiring.events

    @property
    def viewer(self) -> Viewer:
        """Who asks."""
        return Viewer.from_scope(self.scope)

    async def aclose(self) -> None:
        """Close every screen: what still runs for one of them is cancelled."""
        await close(self.compositions)


Info: TypeAlias = strawberry.Info[Context, None]
"""The type of a resolver's `info` parameter."""
