"""Reads what the framework itself does with the functions and values of a gateway."""

import ast
import inspect
from types import FunctionType
from typing import cast

from bff_core.inspection.usage.flow_facts import FunctionFacts
from bff_core.inspection.usage.flow_reader import FlowReader
from bff_core.inspection.usage.flow_values import Typed
from bff_core.inspection.usage.source_readings import SourceReadings


class RootReader(FlowReader):
    """Reads what the framework does with the functions of a gateway."""

    def __init__(self, readings: SourceReadings, where: str) -> None:
        super().__init__(readings, cast(FunctionType, _nothing), {}, FunctionFacts())
        self.where = where

    def escape_methods(self, one: object, reason: str) -> None:
        """Record that the methods of a class may run, as those of a class-based endpoint."""
        if not isinstance(one, type):
            return
        for name in dir(one):
            member = inspect.getattr_static(one, name)
            if isinstance(member, FunctionType):
                self.escape(self.member(one, member, Typed(one)), reason, None)

    def place(self, node: ast.AST | None) -> str:
        """Return the place of the view: no line of source calls it."""
        del node
        return self.where


def _nothing() -> None:
    """Stand in for a function: the framework calls the functions of a gateway."""
