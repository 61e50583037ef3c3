"""What the methods of operations.py are, before they are written as code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bff_core.codegen.python_layout import Group
from bff_core.codegen.upstream.plans import MODEL, PythonType
from bff_core.contracts.document import HttpOperation, HttpParameter


@dataclass(frozen=True, slots=True)
class Argument:
    """A keyword of a method. `source` is the parameter of the contract that it is, if it is one."""

    name: str
    type: PythonType
    default: str = ""
    description: str = ""
    source: HttpParameter | None = None

    @property
    def declaration(self) -> str:
        """The argument as a signature has it."""
        default = f" = {self.default.replace(MODEL, 'models.')}" if self.default else ""
        return f"{self.name}: {self.type.elsewhere()}{default}"


ReplyKind = Literal["json", "text", "chunks", "lines", "events"]


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """How a reply is read; `is_typed` is whether status and headers come with the value."""

    kind: ReplyKind
    type: PythonType
    is_typed: bool = False
    accept: str = ""

    @property
    def annotation(self) -> str:
        """What the method returns, or yields."""
        inner = self.type.elsewhere()
        return f"TypedReply[{inner}]" if self.is_typed else inner


@dataclass(slots=True)
class MethodPlan:
    """A method for an operation. `values` are its path parameters, `sent` the options of a body."""

    name: str
    operation: HttpOperation
    path: str
    arguments: list[Argument]
    values: dict[str, str]
    query: list[str]
    headers: list[str | Group]
    sent: list[str | Group]
    reply: ReplyPlan
    errors: Sequence[str] = field(default_factory=tuple)

    @property
    def is_iterator(self) -> bool:
        """Whether it yields values instead of returning one."""
        return self.reply.kind in {"chunks", "lines", "events"}

    def argument_of(self, name: str, place: str = "query") -> Argument | None:
        """Return the argument for a parameter of the contract, or None."""
        for one in self.arguments:
            if one.source is not None and (one.source.name, one.source.place) == (name, place):
                return one
        return None
