"""Plans what a method returns: the type of its successes, or an iterator of a stream."""

import re
from collections.abc import Sequence
from typing import Final

from bff_core.codegen.upstream.bodies import is_json
from bff_core.codegen.upstream.method_plans import ReplyKind, ReplyPlan
from bff_core.codegen.upstream.model_types import ModelTypes
from bff_core.codegen.upstream.plans import PythonType
from bff_core.contracts.document import Content, HttpOperation, Response
from bff_core.contracts.types import Anything, Array, Nullable, Scalar, Type, Union

NOTHING: Final = PythonType("None", "null", is_nullable=True)

_LINES: Final = re.compile(r"application/(?:x-)?(?:ndjson|jsonl|jsonlines|json-lines|json-seq)")


def successes(operation: HttpOperation) -> list[Response]:
    """Return the responses that are successes; `default` if the contract has no other."""
    found = [one for one in operation.responses if one.status.startswith("2")]
    if found or any(one.status.isdigit() for one in operation.responses):
        return found
    return [one for one in operation.responses if one.status == "default"]


def reply_plan(
    operation: HttpOperation, types: ModelTypes, hint: str, *, has_if_match: bool
) -> ReplyPlan:
    """Return how the replies of an operation are read.

    JSON has precedence over streams, those over text, and text over bytes. The first success with
    a body decides; one that differs, such as a 202 in JSON for a file, is not read.
    """
    found = successes(operation)
    first = next((one for one in found if _contents(one)), None)
    if first is not None and not any(_kind(one, types) == "json" for one in _contents(first)):
        found = [first]
    contents = [one for response in found for one in _contents(response)]
    kinds = {_kind(one, types) for one in contents}
    if "json" in kinds:
        return _json_plan(operation, found, types, hint, has_if_match=has_if_match)
    if "lines" in kinds and operation.method == "GET":
        one = next(one for one in contents if _kind(one, types) == "lines")
        item = types.shape(_item(one.type, types), "read", f"{hint}Line")
        return ReplyPlan("lines", item)
    if "events" in kinds and operation.method == "GET":
        return ReplyPlan("events", PythonType("ServerSentEvent", "object"))
    accept = ", ".join(dict.fromkeys(_plain(one.media_type) for one in contents))
    if kinds == {"text"}:
        return ReplyPlan("text", PythonType("str", "string"), accept=accept)
    if kinds:
        return ReplyPlan("chunks", PythonType("bytes", "string"), accept=accept)
    return ReplyPlan("json", NOTHING, is_typed=_is_typed(operation, found, has_if_match=False))


def _contents(response: Response) -> Sequence[Content]:
    """Return the bodies of a response; a 204 and a 205 have none, whatever the contract says."""
    return () if response.status in {"204", "205"} else response.contents


def _json_plan(
    operation: HttpOperation,
    found: Sequence[Response],
    types: ModelTypes,
    hint: str,
    *,
    has_if_match: bool,
) -> ReplyPlan:
    bodies: list[Type] = []
    media_types: list[str] = []
    for response in found:
        for one in _contents(response):
            if _kind(one, types) == "json":
                media_types.append(_plain(one.media_type))
                if one.type not in bodies:
                    bodies.append(one.type)
    kind = bodies[0] if len(bodies) == 1 else Union(tuple(bodies))
    if any(not _contents(response) for response in found):
        kind = kind if isinstance(kind, Nullable | Anything) else Nullable(kind)
    is_typed = _is_typed(operation, found, has_if_match=has_if_match)
    is_plain = any(one in {"application/json", "*/*", "application/*"} for one in media_types)
    accept = "" if is_plain else ", ".join(dict.fromkeys(media_types))
    type_ = types.shape(kind, "read", f"{hint}Reply")
    return ReplyPlan("json", types.short(type_, f"{hint}Reply", "read"), is_typed, accept)


def _is_typed(operation: HttpOperation, found: Sequence[Response], *, has_if_match: bool) -> bool:
    """Whether headers of the reply matter to callers, so that they get them with the value.

    `Location` of a result, the `ETag` that another operation takes as `If-Match`, and a total of
    the list. Others, such as rate limits, would burden each call for a value that few read.
    """
    for response in found:
        names = {one.name.lower() for one in response.headers}
        if "location" in names and response.status in {"201", "202"}:
            return True
        if "etag" in names and has_if_match:
            return True
        if operation.method == "GET" and any(re.search(r"\btotal\b", one) for one in names):
            return True
    return False


def _kind(content: Content, types: ModelTypes) -> ReplyKind:
    media_type = _plain(content.media_type)
    behind = types.type_behind(content.type)
    if isinstance(behind, Scalar) and behind.kind == "binary":
        return "chunks"
    if "*" in media_type and isinstance(behind, Scalar) and behind.kind == "string":
        return "text"
    if is_json(media_type):
        return "json"
    if _LINES.fullmatch(media_type):
        return "lines"
    if media_type == "text/event-stream":
        return "events"
    is_text = media_type.startswith("text/") or media_type.endswith("xml")
    return "text" if is_text else "chunks"


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _item(kind: Type, types: ModelTypes) -> Type:
    behind = types.type_behind(kind)
    return behind.items if isinstance(behind, Array) else kind
