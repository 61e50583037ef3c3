"""What the helpers of generated clients do: pagination, batches, texts, query styles."""

import ast
from types import FunctionType, GenericAlias
from typing import Any, Final

from bff_core.inspection.usage.flow_containers import FlowContainers, Given, Keywords
from bff_core.inspection.usage.flow_values import (
    ClientVerb,
    Existing,
    FlowValue,
    Typed,
    many,
)
from bff_core.inspection.usage.service_calls import service_call
from bff_core.inspection.usage.type_hints import class_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.typed_reply import TypedReply

MODULE: Final = "bff_core.service_clients"
"""The module that generated clients import from; it need not be loaded."""

PAGES: Final = frozenset({"pages_by_cursor", "pages_by_number", "pages_by_offset"})
RAW: Final = frozenset({"read_chunks", "read_text"})


class FlowGenerated(FlowContainers):
    """Reads calls of the helpers that generated clients import."""

    def of_helper(
        self, function: FunctionType, given: Given, keywords: Keywords, node: ast.AST
    ) -> tuple[bool, FlowValue]:
        """Return whether a function is such a helper, and what it returns."""
        if not str(function.__module__).startswith(MODULE):
            return False, None
        name = function.__name__
        if name in PAGES and given:
            page = self.apply(given[0], [None], {}, node)
            items = self.element_of(page, Existing(0), node)
            return True, many(self.items_of(items, node))
        if name == "pages_by_url" and len(given) > 3:
            return True, self._linked_pages(given, keywords, node)
        if name in RAW and len(given) > 2:
            self._record_call("request", given[0], given[1:], keywords, node)
        elif name == "in_chunks" and len(given) > 1:
            return True, self.apply(given[1], [given[0]], {}, node)
        elif name == "given" and given:
            return True, given[0]
        return True, None

    def _linked_pages(self, given: Given, keywords: Keywords, node: ast.AST) -> FlowValue:
        upstream, path, values, model = given[:4]
        self._record_call("get", upstream, [path, values, model], keywords, node)
        hint: Any = model.value if isinstance(model, Existing) else None
        reply = None if hint is None else Typed(GenericAlias(TypedReply, (hint,)))
        self.apply(keywords.get("next_url"), [reply], {}, node)
        page = None if hint is None else Typed(hint)
        items = self.apply(keywords.get("items"), [page], {}, node)
        return many(self.items_of(items, node))

    def _record_call(
        self, verb: str, upstream: FlowValue, given: Given, keywords: Keywords, node: ast.AST
    ) -> None:
        kind = class_of(upstream.hint) if isinstance(upstream, Typed) else None
        if kind is not None and issubclass(kind, Upstream):
            call = service_call(ClientVerb(kind, verb), given, keywords, self.via, self.place(node))
            self.facts.calls[call] = None
