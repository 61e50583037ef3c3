"""Attributes by the stable semantic conventions of HTTP spans and metrics."""

from typing import Final

from bff_core.observe.request_records import RequestRecord

SCHEMA: Final = "https://opentelemetry.io/schemas/1.36.0"

METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
OTHER: Final = "_OTHER"
"""The method and the error type for all that is not known: values have to be bounded."""

Attributes = dict[str, str | int | float | bool]


def server_attributes(record: RequestRecord) -> Attributes:
    """Return the attributes of a request's span; nothing of it is unmasked."""
    headers = dict(record.headers)
    attributes: Attributes = {
        "http.request.method": known_method(record.method),
        "url.path": record.path,
        "url.scheme": record.scheme,
        "bff.state": record.state,
        "bff.request_id": record.request_id,
    }
    if attributes["http.request.method"] == OTHER:
        attributes["http.request.method_original"] = record.method
    if record.status:
        attributes["http.response.status_code"] = record.status
    if host := headers.get("host"):
        attributes |= address_attributes(host)
    for name, value in (
        ("http.route", record.route),
        ("url.query", record.query),
        ("user_agent.original", headers.get("user-agent", "")),
        ("bff.screen", record.screen),
        ("bff.viewer", record.viewer),
        ("bff.reason", record.reason),
        ("bff.error", record.error),
    ):
        if value:
            attributes[name] = value
    if record.is_cached:
        attributes["bff.view_cache"] = "hit"
    if record.status >= 500:
        attributes["error.type"] = str(record.status)
    elif record.is_truncated:
        attributes["error.type"] = "truncated"
    return attributes


def client_attributes(
    operation: str, upstream: str, endpoint: str, url: str, outcome: str
) -> Attributes:
    """Return the attributes of one request to a service; `url.full` has the template of its path.

    The ids in it are not exported.
    """
    template = operation.partition(" ")[2]
    attributes: Attributes = {
        **method_attributes(operation),
        **address_attributes(endpoint),
        "bff.upstream": upstream,
    }
    if template:
        attributes |= {"url.template": template, "url.full": f"{url}{template}"}
    if outcome.isdigit():
        attributes["http.response.status_code"] = int(outcome)
    return {**attributes, **error_type(failure_of(outcome))}


def failure_of(outcome: str) -> str:
    """Return the error type of an attempt's outcome; empty for a status below 400."""
    return "" if outcome.isdigit() and int(outcome) < 400 else outcome


def method_attributes(operation: str) -> Attributes:
    """Return the method of an operation such as `GET /users/{id}`."""
    return {"http.request.method": known_method(operation.partition(" ")[0])}


def known_method(method: str) -> str:
    """Return a method, or `_OTHER` for one that is not known."""
    return method if method in METHODS else OTHER


def address_attributes(authority: str) -> Attributes:
    """Return host and port of an authority or of an endpoint, such as `users:9001 (10.0.0.7)`."""
    host, _, port = authority.partition(" ")[0].rpartition(":")
    if not host or not port.isdigit():
        return {"server.address": authority.partition(" ")[0].strip("[]")}
    return {"server.address": host.strip("[]"), "server.port": int(port)}


def error_type(error: str) -> Attributes:
    """Return the attribute of an error; none for an empty one."""
    return {"error.type": error} if error else {}
