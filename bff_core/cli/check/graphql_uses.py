"""Which fields of a GraphQL service's schema the documents of its client select and code reads."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    is_input_object_type,
    is_leaf_type,
    is_specified_scalar_type,
    is_union_type,
    parse,
    validate,
)

from bff_core.contracts.errors import ContractError
from bff_core.inspection.usage.operation_uses import ReplyUse

FieldPath = tuple[str, ...]

Wrong = tuple[str, str, tuple[str, ...]]
"""A sentence, the place of the call, and the views."""


def field_uses(sdl: str, uses: Sequence[ReplyUse]) -> tuple[list[ReplyUse], list[Wrong]]:
    """Return the uses with coordinates of the schema, and what of their documents does not fit it.

    `reads` are those fields that a document selects and code reads; `sends` are arguments and
    input fields. Both are None for a document that the source does not show.
    """
    try:
        schema = build_schema(sdl, assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        raise ContractError("", [f"the pinned schema is wrong: {error}"]) from None
    found: list[ReplyUse] = []
    wrong: list[Wrong] = []
    for one in uses:
        if not one.document:
            found.append(replace(one, use=replace(one.use, reads=None, sends=None)))
            continue
        document, errors = _parsed(one.document, schema)
        wrong += [(error, one.place, one.use.views) for error in errors]
        if document is not None:
            found.append(_used(document, schema, one))
    return found, wrong


def _parsed(text: str, schema: GraphQLSchema) -> tuple[DocumentNode | None, list[str]]:
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, [error.message]
    return document, [error.message for error in validate(schema, document)]


def _used(document: DocumentNode, schema: GraphQLSchema, one: ReplyUse) -> ReplyUse:
    reads: set[FieldPath] = set()
    sends: set[FieldPath] = set()
    selected: set[FieldPath] = set()
    known = None if one.use.reads is None else {_plain(path) for path in one.use.reads}
    for path, kind, field in _Selections(document, schema).fields():
        selected.add((kind, field.name.value))
        declared = getattr(schema.get_type(kind), "fields", {}).get(field.name.value)
        if known is None or any(_meet(path, each) for each in known):
            reads.add((kind, field.name.value))
            if declared is not None:
                reads |= _named(get_named_type(declared.type))
        for argument in field.arguments or ():
            sends.add((kind, field.name.value, argument.name.value))
            given = None if declared is None else declared.args.get(argument.name.value)
            if given is not None:
                sends |= _named(get_named_type(given.type))
                sends |= set(_inputs(get_named_type(given.type), set()))
    use = replace(one.use, reads=frozenset(reads), sends=frozenset(sends))
    return replace(one, use=use, selected=frozenset(selected))


def _plain(path: FieldPath) -> FieldPath:
    """Return a path without the items of lists, which documents don't have."""
    return tuple(one for one in path if one not in {"[]", "{}"})


def _meet(one: FieldPath, other: FieldPath) -> bool:
    """Whether one path is the beginning of the other."""
    return all(each == step for each, step in zip(one, other, strict=False))


def _named(kind: GraphQLNamedType) -> set[FieldPath]:
    """Return the name of an enum, a union or a scalar of the schema; nothing for other types."""
    is_leaf = is_leaf_type(kind) and not is_specified_scalar_type(kind)
    return {(kind.name,)} if is_leaf or is_union_type(kind) else set()


def _inputs(kind: GraphQLNamedType, passed: set[str]) -> Iterator[FieldPath]:
    """Yield the fields of an input type, and those of input types within it."""
    if not is_input_object_type(kind) or kind.name in passed:
        return
    passed.add(kind.name)
    for name, field in kind.fields.items():
        yield (kind.name, name)
        yield from _named(get_named_type(field.type))
        yield from _inputs(get_named_type(field.type), passed)


class _Selections:
    """The fields that a document selects, with their paths in the response."""

    def __init__(self, document: DocumentNode, schema: GraphQLSchema) -> None:
        self._document = document
        self._schema = schema
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }

    def fields(self) -> Iterator[tuple[FieldPath, str, FieldNode]]:
        """Yield the path in the response, the type and the field of each selection."""
        for one in self._document.definitions:
            if isinstance(one, OperationDefinitionNode):
                root = self._schema.get_root_type(one.operation)
                if root is not None:
                    yield from self._of(one.selection_set, root.name, (), ())

    def _of(
        self, selection: SelectionSetNode, kind: str, path: FieldPath, spread: tuple[str, ...]
    ) -> Iterator[tuple[FieldPath, str, FieldNode]]:
        for one in selection.selections:
            if isinstance(one, FieldNode):
                yield from self._field(one, kind, path, spread)
            elif isinstance(one, InlineFragmentNode):
                inner = kind if one.type_condition is None else one.type_condition.name.value
                yield from self._of(one.selection_set, inner, path, spread)
            elif isinstance(one, FragmentSpreadNode):
                fragment = self._fragments.get(one.name.value)
                if fragment is not None and one.name.value not in spread:
                    inner = fragment.type_condition.name.value
                    within = (*spread, one.name.value)
                    yield from self._of(fragment.selection_set, inner, path, within)

    def _field(
        self, one: FieldNode, kind: str, path: FieldPath, spread: tuple[str, ...]
    ) -> Iterator[tuple[FieldPath, str, FieldNode]]:
        name = one.name.value
        if name.startswith("__"):
            return
        place = (*path, one.alias.value if one.alias is not None else name)
        yield place, kind, one
        declared = getattr(self._schema.get_type(kind), "fields", {}).get(name)
        if one.selection_set is not None and declared is not None:
            inner = get_named_type(declared.type).name
            yield from self._of(one.selection_set, inner, place, spread)
