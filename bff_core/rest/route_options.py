"""Options of route decorators: a view handles them, passes them to FastAPI or refuses them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

from fastapi import Response

from bff_core.errors import ConfigurationError
from bff_core.http_statuses import WITHOUT_CONTENT
from bff_core.rest.field_case import Case
from bff_core.rest.response_model import Dump, ResponseModel

DOCUMENTATION: Final = frozenset({
    "callbacks",
    "deprecated",
    "description",
    "generate_unique_id_function",
    "include_in_schema",
    "name",
    "openapi_extra",
    "operation_id",
    "response_description",
    "responses",
    "summary",
    "tags",
})  # fmt: skip
"""Options that only change documentation; with any other a view leaves the fast path."""

REFUSED: Final[Mapping[str, str]] = {
    "methods": "declare the view with the decorator of its method, such as @views.post",
    "endpoint": "the decorated function is the endpoint",
    "status": "FastAPI's word for it is status_code=",
    "route_class_override": "give the route class to an APIRouter of your own",
}

_DUMPS: Final = tuple(Dump.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """Status, type and response class of a view's answers."""

    status: int
    model: ResponseModel
    response_class: type[Response] | None

    @property
    def is_cacheable(self) -> bool:
        """Whether the answers are JSON of a declared type with status 200."""
        return (
            self.model.declared is not None and self.response_class is None and self.status == 200
        )

    def openapi_options(self) -> dict[str, Any]:
        """Return the options of FastAPI that describe the answers in OpenAPI."""
        if self.response_class is None:
            return {"status_code": self.status, "response_model": self.model.schema}
        # A class may have a status of its own, such as that of a redirect.
        status = None if self.status == 200 else self.status
        shown = {"status_code": status, "response_model": self.model.schema}
        return shown | {"response_class": self.response_class}


def take_answer_options(
    options: dict[str, Any],
    endpoint: Callable[..., Any],
    *,
    status: int,
    declared: Any,
    case: Case | None = None,
) -> AnswerOptions:
    """Remove the options of the answer from `options`; `declared` is the type of a result.

    Raises `ConfigurationError` for an option that a view does not support.
    """
    view = endpoint.__qualname__
    for name, instead in REFUSED.items():
        if name in options:
            raise ConfigurationError(f"view {view}: {name}= has no use here: {instead}")
    declared = options.pop("response_model", declared)
    dump = {
        name: options.pop(f"response_model_{name}")
        for name in _DUMPS
        if f"response_model_{name}" in options
    }
    status = _status_of(view, options.pop("status_code", None), status)
    response_class = options.pop("response_class", None)
    if response_class is not None and not _is_response(response_class):
        raise ConfigurationError(
            f"view {view}: response_class={response_class!r}: give a class of Response"
        )
    if declared is not None and status in WITHOUT_CONTENT:
        raise ConfigurationError(
            f"view {view}: an answer of status {status} has no content, so the view returns None, "
            f"not {declared!r}"
        )
    return AnswerOptions(status, ResponseModel(declared, Dump(**dump), view, case), response_class)


def annotation_of(endpoint: Callable[..., Any]) -> Any:
    """Return the annotation of a view's result; `Any` without one."""
    return get_type_hints(endpoint, include_extras=True).get("return", Any)


def result_of(endpoint: Callable[..., Any]) -> Any:
    """Return the type of a view's results; None if it declares none, None or a `Response`."""
    declared = get_type_hints(endpoint, include_extras=True).get("return")
    return None if _is_response(declared) or declared is type(None) else declared


def _is_response(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Response)


def _status_of(view: str, status_code: object, status: int) -> int:
    if status_code is not None and status not in {200, status_code}:
        raise ConfigurationError(f"view {view}: status={status} and status_code={status_code!r}")
    found = status if status_code is None else status_code
    if not isinstance(found, int) or not 200 <= found <= 599:
        raise ConfigurationError(f"view {view}: status {found!r} is not one of 200 to 599")
    return int(found)
