"""Compares the bodies of requests and responses of two operations."""

from collections.abc import Iterator, Sequence

from bff_core.contracts.changes.differences import OperationDifference
from bff_core.contracts.changes.parameters import header_differences
from bff_core.contracts.changes.schemas import SchemaComparison
from bff_core.contracts.changes.words import plain
from bff_core.contracts.document import Body, Content, Response


def request_differences(
    old: Body | None, new: Body | None, schemas: SchemaComparison
) -> Iterator[OperationDifference]:
    """Yield the differences of the body of a request."""
    if new is None:
        if old is not None:
            yield _request("request-body-removed", "the body was removed")
        return
    necessity = "required" if new.is_required else "optional"
    if old is None:
        yield _request(f"request-body-added-{necessity}", f"an {necessity} body was added")
        return
    if old.is_required != new.is_required:
        yield _request(f"request-body-became-{necessity}", f"the body became {necessity}")
    for one in old.contents:
        other = _counterpart(one, new.contents)
        if other is None:
            text = f"the media type {plain(one.media_type)} was removed"
            yield _request("request-media-type-removed", text)
        else:
            yield OperationDifference(
                place="request", types=schemas.compare(one.type, other.type, "request")
            )
    for one in new.contents:
        if _counterpart(one, old.contents) is None:
            text = f"the media type {plain(one.media_type)} was added"
            yield _request("request-media-type-added", text)


def response_differences(
    before: Sequence[Response], after: Sequence[Response], schemas: SchemaComparison
) -> Iterator[OperationDifference]:
    """Yield the differences of the responses of an operation."""
    for one in before:
        others = _successors(one, after)
        if not others:
            rule = f"response-{'' if is_success(one.status) else 'error-'}status-removed"
            text = f"the response {plain(one.status)} was removed"
            yield OperationDifference(rule, text, "response", status=one.status)
        for other in others:
            yield from _contents(one, other, schemas)
            yield from header_differences(one.headers, other.headers, one.status, schemas)
    for one in after:
        if not _predecessors(one, before):
            rule = f"response-{'' if is_success(one.status) else 'error-'}status-added"
            text = f"the response {plain(one.status)} was added"
            yield OperationDifference(rule, text, "response", status=one.status)


def is_success(status: str) -> bool:
    """Whether a response with this status is a success: 200 or 2XX. `default` is none."""
    return status.startswith("2")


def _contents(
    old: Response, new: Response, schemas: SchemaComparison
) -> Iterator[OperationDifference]:
    for one in old.contents:
        other = _counterpart(one, new.contents)
        if other is None:
            text = f"the media type {plain(one.media_type)} was removed"
            yield OperationDifference(
                "response-media-type-removed",
                text,
                "response",
                status=old.status,
                pointer=one.pointer,
            )
        else:
            types = schemas.compare(one.type, other.type, "response")
            yield OperationDifference(place="response", status=old.status, types=types)
    for one in new.contents:
        if _counterpart(one, old.contents) is None:
            text = f"the media type {plain(one.media_type)} was added"
            yield OperationDifference(
                "response-media-type-added", text, "response", status=old.status
            )


def _successors(one: Response, after: Sequence[Response]) -> list[Response]:
    """Return the responses that stand for a status: the same, its range, or all of its range."""
    exact = [other for other in after if other.status.upper() == one.status.upper()]
    if exact or one.status == "default":
        return exact
    in_range = [other for other in after if other.status.upper() == _range(one.status)]
    if in_range or one.status.upper() != _range(one.status):
        return in_range
    return [other for other in after if _range(other.status) == _range(one.status)]


def _predecessors(one: Response, before: Sequence[Response]) -> list[Response]:
    exact = [other for other in before if other.status.upper() == one.status.upper()]
    return exact or [other for other in before if other.status.upper() == _range(one.status)]


def _range(status: str) -> str:
    return f"{status[:1]}XX"


def _counterpart(one: Content, others: Sequence[Content]) -> Content | None:
    """Return the body of the same media type: with its parameters, without, or by a wildcard."""
    for name in (_exact, _essence):
        for other in others:
            if name(other) == name(one):
                return other
    wildcards = {"*/*", f"{_essence(one).partition('/')[0]}/*"}
    return next((other for other in others if _essence(other) in wildcards), None)


def _exact(of: Content) -> str:
    return of.media_type.replace(" ", "").lower()


def _essence(of: Content) -> str:
    return _exact(of).partition(";")[0]


def _request(rule: str, text: str) -> OperationDifference:
    return OperationDifference(rule, text, "request")
