"""The request as facts and parts see it while a face wants to know what its answer is made of."""

from copy import copy
from typing import Final

from bff_core.answer_dependencies import PER_TENANT, PER_VIEWER, AnswerDependencies, Sharing
from bff_core.scope import Scope

NARROWED_BY: Final[dict[str, Sharing]] = {
    "audience": PER_VIEWER,
    "viewer": PER_VIEWER,
    "tenant": PER_TENANT,
}
"""What of a request is in the key of a kept answer, and whose that key then is.

Headers are, too, one by one, and the query as a whole. Whatever else is read makes an answer that
nobody else is given.
"""


class TrackedScope(Scope):
    """A `Scope` that notes in the dependencies what is read of it, and how that narrows the answer.

    The fields of its base are never set here, so that each access ends in `__getattr__`: a field
    that is added to `Scope` is noted without anybody thinking of it.
    """

    __slots__ = ("_dependencies", "_whole")
    # So that `dataclasses.replace` makes a plain one, having read every field of this.
    __class__ = property(lambda _: Scope)

    _dependencies: AnswerDependencies
    _whole: Scope

    def __init__(
        self, whole: Scope, dependencies: AnswerDependencies
    ) -> None:  # the fields stay with the whole
        object.__setattr__(self, "_whole", whole)
        object.__setattr__(self, "_dependencies", dependencies)

    def __getattr__(self, name: str) -> object:
        sharing = NARROWED_BY.get(name)
        if sharing is not None:
            self._dependencies.narrow(sharing)
        elif name == "query":
            self._dependencies.has_query = True
        else:
            self._dependencies.forbid(name)
        return getattr(self._whole, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._dependencies.forbid(name)
        setattr(self._whole, name, value)

    def header(self, name: str) -> str | None:
        """Return a request header, on which the answer then depends."""
        self._dependencies.add_header(name)
        return self._whole.header(name)

    def __copy__(self) -> Scope:
        self._dependencies.forbid("scope")
        return copy(self._whole)


def watched(scope: Scope) -> Scope:
    """Return the scope as those see it who need not be trusted to tell what they read."""
    dependencies = scope.dependencies
    return scope if dependencies is None else TrackedScope(scope, dependencies)
