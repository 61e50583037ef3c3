"""Checks requests against the contract: credentials, parameters, bodies."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from bff_core.contracts.document import (
    Body,
    Content,
    Document,
    HttpOperation,
    HttpParameter,
    SecurityScheme,
)
from bff_core.contracts.types import Array, Json
from bff_core.mocks.parameters import Received, parameters_of, read
from bff_core.mocks.problems import Refusal
from bff_core.mocks.schemas import SchemaFault, Schemas
from bff_core.mocks.values import ValueMaker

MAX_BODY_BYTES: Final = 16 * 1024 * 1024

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class RequestChecks:
    """Checks the requests of a contract; raises `Refusal` for one that it does not allow.

    `refuses_with` is the status for wrong values; with 0 it is the documented one.
    """

    document: Document
    schemas: Schemas
    values: ValueMaker
    refuses_with: int = 0

    def credentials(self, operation: HttpOperation, received: Received) -> None:
        """Raise a 401 if the operation needs credentials and the request has none.

        Any value is accepted.
        """
        alternatives = operation.security or ()
        if not alternatives or any(not one for one in alternatives):
            return
        schemes = self.document.security_schemes
        for one in alternatives:
            known = [schemes[name] for name in one if name in schemes]
            if all(_has_credentials(scheme, received) for scheme in known):
                return
        names = " or ".join(" and ".join(one) for one in alternatives)
        detail = f"{operation.name} needs credentials: {names}. Any value is accepted."
        raise Refusal(401, detail, headers={"WWW-Authenticate": _challenge(alternatives, schemes)})

    def parameters(self, operation: HttpOperation, received: Received) -> dict[str, Json]:
        """Return the parameters of a request by name; raise a 400 or 422 for wrong ones."""
        found: dict[str, Json] = {}
        faults: list[Mapping[str, Json]] = []
        for one in parameters_of(operation):
            value = read(one, received, self.values.resolved)
            if value is not None:
                wrong = self.schemas.faults(one.type, value, "request")
                faults += [_parameter_fault(one, fault) for fault in wrong]
                found[one.name] = value
            elif one.is_required:
                faults.append({"in": one.place, "name": one.name, "message": "it is required"})
            elif one.has_default:
                found[one.name] = one.default
        if faults:
            raise self._refusal(operation, faults)
        return found

    def body(self, operation: HttpOperation, content_type: str, body: bytes) -> Json:
        """Return the body of a request; raise a 400, 415 or 422 for a wrong one."""
        if operation.body is None:
            return None
        if not body:
            if operation.body.is_required:
                fault: Mapping[str, Json] = {"in": "body", "message": "it is required"}
                raise self._refusal(operation, [fault])
            return None
        content = content_of(operation.body, content_type)
        if is_json(content.media_type) or is_json(content_type):
            value = _decoded(body)
        elif media_type(content_type) == FORM:
            value = self._form(content, body)
        else:
            return None
        wrong = self.schemas.faults(content.type, value, "request")
        if wrong:
            raise self._refusal(operation, [_body_fault(one) for one in wrong])
        return value

    def _refusal(self, operation: HttpOperation, faults: Sequence[Mapping[str, Json]]) -> Refusal:
        """Return a refusal with the documented one of 400 and 422; of both 422 is for bodies."""
        documented = {one.status for one in operation.responses} & {"400", "422"}
        first = faults[0]
        is_422 = "422" in documented and (first["in"] == "body" or "400" not in documented)
        status = self.refuses_with or (422 if is_422 else 400)
        place = " ".join(str(first[key]) for key in ("in", "name", "pointer") if first.get(key))
        return Refusal(status, f"{place}: {first['message']}", faults)

    def _form(self, content: Content, body: bytes) -> Json:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        fields = self.values.fields(content.type)
        received = Received({}, pairs, {}, {})
        found: dict[str, Json] = {}
        for name in dict.fromkeys(name for name, _ in pairs):
            kind = fields[name].type if name in fields else None
            if kind is None:
                found[name] = next(text for key, text in pairs if key == name)
                continue
            is_list = isinstance(self.values.resolved(kind), Array)
            style = content.encodings.get(name, "form")
            parameter = HttpParameter(name, "query", kind, style=style, is_exploded=is_list)
            found[name] = read(parameter, received, self.values.resolved)
        return found


async def body_bytes(request: Request) -> bytes:
    """Return the body of a request; raise a 413 for one that is too long."""
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length > MAX_BODY_BYTES:
            raise Refusal(413, f"the body is longer than {MAX_BODY_BYTES:,} bytes")
        parts.append(part)
    return b"".join(parts)


def content_of(body: Body, content_type: str) -> Content:
    """Return the content that a media type is; raise a 415 if the body may not have it."""
    wanted = media_type(content_type)
    for one in sorted(body.contents, key=lambda each: each.media_type.count("*")):
        if matches(media_type(one.media_type), wanted):
            return one
    known = ", ".join(one.media_type for one in body.contents)
    named = f"{wanted} is not accepted" if wanted else "the request has no Content-Type"
    raise Refusal(415, f"{named}: use {known}", headers={"Accept": known})


def media_type(text: str) -> str:
    """Return a media type without parameters, in lower case."""
    return text.partition(";")[0].strip().lower()


def is_json(text: str) -> bool:
    """Whether a media type is JSON."""
    name = media_type(text)
    return name == "application/json" or name.endswith("+json") or name == "text/json"


def may_be_json(text: str) -> bool:
    """Whether a body of a media type, which may be a range, is written as JSON."""
    return is_json(text) or media_type(text) in {"", "*/*", "application/*"}


def matches(pattern: str, name: str) -> bool:
    """Whether a media type is one of a range: `application/*`."""
    kind, _, sub = pattern.partition("/")
    own_kind, _, own_sub = name.partition("/")
    return kind in {"*", own_kind} and sub in {"*", own_sub} and bool(name)


def _decoded(body: bytes) -> Json:
    try:
        value: Json = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(
            400, f"the body is no JSON: {error}", [{"in": "body", "message": str(error)}]
        ) from None
    return value


def _parameter_fault(parameter: HttpParameter, fault: SchemaFault) -> Mapping[str, Json]:
    place: dict[str, Json] = {"in": parameter.place, "name": parameter.name}
    if fault.place:
        place["pointer"] = _pointer(fault)
    return {**place, "message": fault.message}


def _body_fault(fault: SchemaFault) -> Mapping[str, Json]:
    return {"in": "body", "pointer": _pointer(fault), "message": fault.message}


def _pointer(fault: SchemaFault) -> str:
    steps = (str(one).replace("~", "~0").replace("/", "~1") for one in fault.place)
    return "".join(f"/{one}" for one in steps)


def _has_credentials(scheme: SecurityScheme, received: Received) -> bool:
    if scheme.kind == "apiKey":
        name = scheme.parameter
        if scheme.place == "query":
            return any(key == name and text for key, text in received.query)
        found = received.cookies if scheme.place == "cookie" else received.headers
        return bool(found.get(name if scheme.place == "cookie" else name.lower()))
    if scheme.kind == "mutualTLS":
        return True
    kind, _, value = received.headers.get("authorization", "").partition(" ")
    wanted = scheme.scheme.lower() if scheme.kind == "http" else "bearer"
    return kind.lower() == wanted and (wanted != "basic" or _is_basic(value)) and bool(value)


def _is_basic(value: str) -> bool:
    try:
        return b":" in base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return False


def _challenge(
    alternatives: Sequence[Mapping[str, Sequence[str]]], schemes: Mapping[str, SecurityScheme]
) -> str:
    known = (schemes[name] for one in alternatives for name in one if name in schemes)
    kinds = ("ApiKey" if one.kind == "apiKey" else one.scheme or "Bearer" for one in known)
    return f'{next(kinds, "Bearer").capitalize()} realm="mock"'
