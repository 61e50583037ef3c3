"""The query that stands for what clients request of a field of GraphQL."""

from collections.abc import Iterator, Mapping

from graphql import FieldNode, OperationDefinitionNode, OperationType, parse

from bff_core.console.screens.views import COMMENT, MAX_DEPTH, PLACEHOLDER
from bff_core.gateway.app import Gateway
from bff_core.graphql.http_handler import GraphQLView
from bff_core.inspection.graphql_fields import query_of, root_field


def queries_of(
    app: Gateway, coordinate: str, inputs: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield queries of a root field, the best first: path of the endpoint, query and a note.

    The longest query of a client comes first that selects only this field and needs no variables:
    a shorter one may be a trial. A client that is given inputs gets a query with them. Then come
    queries of all fields, each less deep than the one before.
    """
    path, one = root_field(app, coordinate)
    if not inputs:
        known = (text for text in _known_queries(app, path) if _selects_only(text, one.name))
        if text := max(known, key=len, default=""):
            yield path, text, "as a client requested it"
    given, note = dict(inputs), "all fields"
    for depth in range(MAX_DEPTH, 0, -1):
        try:
            query = query_of(one, given, depth)
        except LookupError as error:
            made_up = dict.fromkeys(map(str, error.args), PLACEHOLDER)
            given = {**made_up, **given}
            note = f"all fields, with {', '.join(f'{name}={PLACEHOLDER}' for name in made_up)}"
            query = query_of(one, given, depth)
        yield path, f"{COMMENT}{query}", note


def _known_queries(app: Gateway, path: str) -> Iterator[str]:
    for route in app.routes:
        view = getattr(route, "endpoint", None)
        if isinstance(view, GraphQLView) and getattr(route, "path", "") == path:
            yield from view.documents.texts


def _selects_only(text: str, name: str) -> bool:
    """Whether a document is a query of one field that needs no variables."""
    if text.startswith(COMMENT):
        return False
    document = parse(text)
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1:
        return False
    selected = operations[0].selection_set.selections
    return (
        operations[0].operation is OperationType.QUERY
        and not operations[0].variable_definitions
        and len(selected) == 1
        and isinstance(selected[0], FieldNode)
        and selected[0].name.value == name
    )
