"""Renders errors for clients: message, locations, path and a stable code."""

from collections.abc import Sequence

from graphql import GraphQLError, GraphQLFormattedError

from bff_core.composition.part_status import State
from bff_core.edge.problem_details import is_expected, members_of, unwrap
from bff_core.errors import BFFError
from bff_core.events import Crashed
from bff_core.graphql.context import Context
from bff_core.graphql.documents import RequestRefused
from bff_core.graphql.parsing import formatted


class PartMissing(BFFError):
    """A field is null because its part failed; the code is the part's reason."""

    title = "Not available right now"

    def __init__(self, part: str, state: State, reason: str) -> None:
        super().__init__(f"part {part!r} is {state}: {reason}")
        self.part = part
        self.status = 403 if state == "forbidden" else 503
        self.code = reason


def rendered(error: GraphQLError) -> GraphQLFormattedError:
    """Return an error as it is sent; unexpected errors are masked.

    1. An error that a resolver raised has the code and the message of its problem details.
    2. An error that was written for clients is sent as it is.
    3. Other errors of graphql-core may quote a resolver's value, so they are masked.
    """
    answer = formatted(error)
    cause = cause_of(error)
    if cause is not None:
        members = members_of(cause)
        answer["message"] = str(members.get("detail") or members["title"])
        if isinstance(cause, PartMissing):
            members["part"] = cause.part
        answer["extensions"] = {key: members[key] for key in MEMBERS if key in members}
        if isinstance(decisive := unwrap(cause), BFFError):
            answer["extensions"] |= decisive.members
    elif is_for_clients(error):
        answer["extensions"] = CLIENTS_FAULT | (error.extensions or {})
    else:
        answer["message"] = BFFError.title
        answer["extensions"] = {"code": BFFError.code, "status": BFFError.status}
    return answer


def rendered_refusal(refused: RequestRefused) -> list[GraphQLFormattedError]:
    """Return the errors of a request that was not executed."""
    fault = {"code": refused.code, "status": refused.status}
    return [
        {**formatted(error), "extensions": fault | (error.extensions or {})}
        for error in refused.errors
    ]


def cause_of(error: GraphQLError) -> Exception | None:
    """Return what a resolver raised; None for an error of graphql-core itself."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        if is_for_clients(cause):
            return None
        cause = cause.original_error
    return cause


def is_for_clients(error: GraphQLError) -> bool:
    """Whether the message of an error was written for clients.

    Resolvers write such errors with extensions. graphql-core writes them for variables that do not
    fit (before any field has run, so without a path) and for arguments that do not fit.
    """
    if error.path is None:
        return bool(error.extensions or error.nodes)
    original = error.original_error
    return isinstance(original, GraphQLError) and is_for_clients(original)


def report(errors: Sequence[GraphQLError], context: Context) -> None:
    """Emit `Crashed` for bugs, once for each field and kind of error, since lists repeat them.

    The log line of the request reports the first other failure. The composition reports how its
    parts ended.
    """
    crashes: dict[tuple[str, type], Exception] = {}
    for error in errors:
        cause = cause_of(error)
        if cause is None and is_for_clients(error):
            continue
        if cause is None or not is_expected(cause):
            crashes.setdefault((where_of(error), type(cause)), cause or error)
        elif context.failure is None and _is_failure(cause):
            context.failure = cause
    context.is_reported = bool(crashes)
    request_scope, events = context.untracked_scope, context.events
    for (where, _), crash in crashes.items() if events.sinks else ():
        events.emit(
            Crashed(
                where,
                request_scope.request_id,
                crash,
                request_scope.method,
                request_scope.path,
            )
        )


def is_failure(error: GraphQLError) -> bool:
    """Whether the gateway or a service caused an error, not the client."""
    cause = cause_of(error)
    if cause is None:
        return not is_for_clients(error)
    return not is_expected(cause) or _is_failure(cause)


def _is_failure(cause: Exception) -> bool:
    """Whether the gateway or a service caused it; missing parts are reported elsewhere."""
    status = members_of(cause)["status"]
    return isinstance(status, int) and status >= 500 and not isinstance(cause, PartMissing)


def where_of(error: GraphQLError) -> str:
    """Return the path of an error without positions in lists: the name of a field."""
    names = [step for step in error.path or () if isinstance(step, str)]
    return f"graphql {'.'.join(names)}".rstrip()


MEMBERS = ("code", "status", "part", "retry_after")
CLIENTS_FAULT: dict[str, object] = {"code": "invalid_input", "status": 400}
