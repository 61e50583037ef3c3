"""Recognises connections and batch reads in the operations of documents."""

from collections.abc import Iterator, Mapping, Sequence

from bff_core.codegen.graphql.code import BatchCode, ClassCode, FieldCode, PageCode, VariableCode
from bff_core.codegen.graphql.results import Results
from bff_core.extras import needs

with needs("graphql", "generating the operations of a GraphQL service"):
    from graphql import (
        FieldNode,
        FragmentSpreadNode,
        InlineFragmentNode,
        ListTypeNode,
        NonNullTypeNode,
        OperationDefinitionNode,
        SelectionSetNode,
        VariableNode,
    )

Path = tuple[str, ...]

MAX_DEPTH = 6
"""How deep in an operation connections are looked for."""


class Recognition:
    """Finds pages and batches by the planned classes of responses."""

    def __init__(self, results: Results, fragments: Mapping[str, object]) -> None:
        self._classes = {one.name: one for one in results.classes}
        self._fragments = fragments

    def page(
        self,
        operation: OperationDefinitionNode,
        data: str,
        variables: Sequence[VariableCode],
    ) -> PageCode | None:
        """Return the connection that a variable pages through; None unless there is one."""
        by_name = {one.name: one for one in variables if not one.is_required}
        found = [
            page
            for path, variable in self._arguments(operation.selection_set, ("after",), ())
            if variable in by_name
            and (page := self._page(data, path, by_name[variable].parameter)) is not None
        ]
        return found[0] if len(found) == 1 else None

    def batch(
        self,
        operation: OperationDefinitionNode,
        data: str,
        variables: Sequence[VariableCode],
    ) -> BatchCode | None:
        """Return how a query reads many keys at once; None unless it does.

        It has one required variable, a list, and one field: a list of objects with the key.
        """
        required = [one for one in variables if one.is_required]
        root = self._classes.get(data)
        if len(required) != 1 or root is None or len(root.fields) != 1:
            return None
        nodes = [one for one in operation.variable_definitions or () if is_list(one.type)]
        given = [one for one in nodes if one.variable.name.value == required[0].name]
        item = _item(root.fields[0].annotation)
        kind = self._classes.get(item[0]) if item else None
        if not given or item is None or kind is None:
            return None
        key_type = required[0].annotation.removeprefix("Sequence[").removesuffix("]")
        argument = self._argument_of(operation.selection_set, required[0].name)
        names = [argument.removesuffix("s"), argument.removesuffix("_in"), "id"]
        keys = [one for name in names for one in kind.fields if one.key == name]
        key = next((one for one in keys if one.annotation == key_type), None)
        if not argument or key is None or required[0].annotation == key_type:
            return None
        field = root.fields[0]
        return BatchCode(
            required[0].parameter, key_type, field.attribute, field.default == "None",
            item[0], item[1], key.attribute,
        )  # fmt: skip

    def _argument_of(self, selections: SelectionSetNode, variable: str) -> str:
        """Return the argument of a root field that a variable fills; empty without one."""
        for node in selections.selections:
            for argument in (node.arguments or ()) if isinstance(node, FieldNode) else ():
                value = argument.value
                if isinstance(value, VariableNode) and value.name.value == variable:
                    return argument.name.value
        return ""

    def _arguments(
        self, selections: SelectionSetNode, names: Sequence[str], path: Path
    ) -> Iterator[tuple[Path, str]]:
        """Yield the path of each field with one of these arguments, and the variable in it."""
        if len(path) > MAX_DEPTH:
            return
        for node in selections.selections:
            if isinstance(node, FieldNode):
                here = (*path, node.alias.value if node.alias else node.name.value)
                for argument in node.arguments or ():
                    if argument.name.value in names and isinstance(argument.value, VariableNode):
                        yield here, argument.value.name.value
                if node.selection_set is not None:
                    yield from self._arguments(node.selection_set, names, here)
            elif isinstance(node, InlineFragmentNode):
                yield from self._arguments(node.selection_set, names, path)
            elif isinstance(node, FragmentSpreadNode):
                inner = self._fragments[node.name.value]
                yield from self._arguments(inner.selection_set, names, path)  # type: ignore[attr-defined]  # a fragment

    def _page(self, data: str, path: Path, variable: str) -> PageCode | None:
        steps: list[tuple[str, bool]] = []
        kind = self._classes.get(data)
        for key in path:
            one = None if kind is None else _field(kind, key)
            if one is None:
                return None
            steps.append((one.attribute, one.default == "None"))
            kind = self._classes.get(one.annotation.removesuffix(" | None"))
        if kind is None:
            return None
        info, items = _field(kind, "pageInfo"), _field(kind, "edges") or _field(kind, "nodes")
        if info is None or items is None:
            return None
        infos = self._classes.get(info.annotation.removesuffix(" | None"))
        has_next = None if infos is None else _field(infos, "hasNextPage")
        cursor = None if infos is None else _field(infos, "endCursor")
        node = self._node(items)
        if has_next is None or cursor is None or node is None:
            return None
        item, item_may_be_none, attribute, node_may_be_none = node
        return PageCode(
            tuple(steps), variable, item, items.attribute, items.default == "None",
            item_may_be_none, attribute, node_may_be_none, info.attribute,
            info.default == "None", has_next.attribute, cursor.attribute,
        )  # fmt: skip

    def _node(self, items: FieldCode) -> tuple[str, bool, str, bool] | None:
        """Return the type of nodes, and how they are reached from an item of a page."""
        found = _item(items.annotation)
        if found is None:
            return None
        if items.key == "nodes":
            return found[0], found[1], "", False
        edge = self._classes.get(found[0])
        node = None if edge is None else _field(edge, "node")
        if node is None:
            return None
        item = node.annotation.removesuffix(" | None")
        return item, found[1], node.attribute, node.default == "None"


def is_list(node: object) -> bool:
    """Whether the type of a variable is a list."""
    inner = node.type if isinstance(node, NonNullTypeNode) else node
    return isinstance(inner, ListTypeNode)


def _field(kind: ClassCode, key: str) -> FieldCode | None:
    return next((one for one in kind.fields if one.key == key), None)


def _item(annotation: str) -> tuple[str, bool] | None:
    """Return the type of a list's items, and whether they may be None; None if it is no list."""
    bare = annotation.removesuffix(" | None")
    if not (bare.startswith("tuple[") and bare.endswith(", ...]")):
        return None
    item = bare[len("tuple[") : -len(", ...]")]
    return (item.removesuffix(" | None"), item.endswith(" | None")) if "[" not in item else None
