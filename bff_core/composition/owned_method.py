"""What parts and loaders share: the class of composition from which each was read."""

from copy import copy
from typing import Self

from bff_core.composition.composition import Composition


class OwnedMethod:
    """A method of a composition that is declared by a decorator.

    `owner` is the class from which it was read (`Home.profile`), `attribute` its name there.
    """

    owner: type[Composition] | None = None
    attribute = ""
    body: object

    def __set_name__(self, owner: type[Composition], name: str) -> None:
        self.owner, self.attribute = owner, name

    def read_from(self, owner: type[Composition] | None) -> Self:
        """Return the method as that of a class, which may have inherited it."""
        if owner is self.owner:
            return self
        made = copy(self)
        made.owner = owner
        return made

    def belongs_to(self, kind: type[Composition]) -> bool:
        """Whether a class of composition has or inherits the method, and does not override it."""
        holder = next((one for one in kind.__mro__ if self.attribute in vars(one)), None)
        found = None if holder is None else vars(holder)[self.attribute]
        return isinstance(found, OwnedMethod) and found.body is self.body
