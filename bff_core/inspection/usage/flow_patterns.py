"""Reads `match`: the attributes that patterns test are used."""

import ast
from collections.abc import Sequence

from bff_core.inspection.usage.flow_expressions import FlowExpressions
from bff_core.inspection.usage.flow_values import (
    Existing,
    FlowValue,
    Typed,
    is_record_value,
    joined,
    many,
)


class FlowPatterns(FlowExpressions):
    """Reads the cases of a match."""

    def run(self, statements: Sequence[ast.stmt]) -> None:
        """Read statements in order."""
        raise NotImplementedError

    def match_cases(self, node: ast.Match) -> None:
        """Read the cases, of which one is taken."""
        subject = self.value_of(node.subject)
        before, after = dict(self.names), dict(self.names)
        for case in node.cases:
            self.names = dict(before)
            self._pattern(case.pattern, subject)
            self.value_of(case.guard)
            self.run(case.body)
            after = joined(after, self.names)
        self.names = after

    def _pattern(self, pattern: ast.pattern, value: FlowValue) -> None:
        """Read a pattern: the attributes that it tests are used, others are not."""
        match pattern:
            case ast.MatchAs():
                if pattern.pattern is not None:
                    self._pattern(pattern.pattern, value)
                self._capture(pattern.name, value)
            case ast.MatchOr():
                for one in pattern.patterns:
                    self._pattern(one, value)
            case ast.MatchClass():
                self._class_pattern(pattern, value)
            case ast.MatchSequence():
                self._sequence_pattern(pattern, value)
            case ast.MatchStar():
                self._capture(pattern.name, many(value))
            case ast.MatchMapping():
                self._mapping_pattern(pattern, value)
            case ast.MatchValue() if is_record_value(value):
                self.escape(value, "it is compared", pattern)

    def _capture(self, name: str | None, value: FlowValue) -> None:
        if name is not None:
            self.names[name] = value

    def _sequence_pattern(self, pattern: ast.MatchSequence, value: FlowValue) -> None:
        if is_record_value(value):
            self.escape(value, "match reads its fields by position", pattern)
        items = self.items_of(value, pattern)
        for one in pattern.patterns:
            self._pattern(one, items)

    def _mapping_pattern(self, pattern: ast.MatchMapping, value: FlowValue) -> None:
        for key, one in zip(pattern.keys, pattern.patterns, strict=True):
            self._pattern(one, self.element_of(value, self.value_of(key), pattern))
        if pattern.rest is not None:
            self.escape(value, "match takes its other fields", pattern)

    def _class_pattern(self, pattern: ast.MatchClass, value: FlowValue) -> None:
        kind = self.value_of(pattern.cls)
        is_class = isinstance(kind, Existing) and isinstance(kind.value, type)
        subject: FlowValue = Typed(kind.value) if is_class else value  # type: ignore[union-attr]
        if pattern.patterns and is_record_value(subject):
            self.escape(subject, "match reads its fields by position", pattern)
        for one in pattern.patterns:
            self._pattern(one, None if is_record_value(subject) else subject)
        for name, one in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            self._pattern(one, self.attribute(subject, name, pattern))
