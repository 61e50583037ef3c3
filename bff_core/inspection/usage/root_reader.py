"""Reads what the framework itself does with the functions and values of a gateway."""

import ast
from types import FunctionType
from typing import cast

from bff_core.inspection.usage.flow_facts import FunctionFacts
from bff_core.inspection.usage.flow_reader import FlowReader
from bff_core.inspection.usage.source_readings import SourceReadings


class RootReader(FlowReader):
    """Reads what the framework does with the functions of a gateway."""

    def __init__(self, readings: SourceReadings, where: str) -> None:
        super().__init__(readings, cast(FunctionType, _nothing), {}, FunctionFacts())
        self.where = where

    def place(self, node: ast.AST | None) -> str:
        """Return the place of the view: no line of source calls it."""
        del node
        return self.where


def _nothing() -> None:
    """Stand in for a function: the framework calls the functions of a gateway."""
