"""FastAPI's own keywords, typed, which the framework passes on."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from typing_extensions import TypedDict

from bff_core.compat.fastapi import Depends, TelemetryConfig
from bff_core.compat.starlette import Middleware

Fields: TypeAlias = set[int] | set[str] | Mapping[int, object] | Mapping[str, object]
"""Fields of an answer; a mapping has the fields below each field, or True for all of them."""


class FormLimits(TypedDict, total=False):
    """Limits of forms: how many fields and files, and how many bytes a field may have."""

    max_fields: int
    max_files: int
    max_part_size: int


class DocumentedOptions(TypedDict, total=False):
    """FastAPI's keywords that apps, routers and routes have."""

    callbacks: list[BaseRoute] | None
    dependencies: Sequence[Depends] | None
    deprecated: bool | None
    generate_unique_id_function: Callable[[APIRoute], str]
    include_in_schema: bool
    responses: dict[int | str, dict[str, Any]] | None


class RouterOptions(DocumentedOptions, total=False):
    """FastAPI's keywords of a router that `Views` passes on."""


class RouteOptions(DocumentedOptions, total=False):
    """FastAPI's keywords of a route that the decorators of `Views` pass on."""

    description: str | None
    form_limits: FormLimits | None
    max_body_size: int | None
    name: str | None
    openapi_extra: Mapping[str, object] | None
    operation_id: str | None
    response_class: type[Response]
    response_description: str
    response_model: object
    response_model_by_alias: bool
    response_model_exclude: Fields | None
    response_model_exclude_defaults: bool
    response_model_exclude_none: bool
    response_model_exclude_unset: bool
    response_model_include: Fields | None
    status_code: int | None
    strict_content_type: bool
    summary: str | None
    tags: list[str | Enum] | None


class FastAPIOptions(DocumentedOptions, total=False):
    """The keywords of `FastAPI(...)` that `gateway(...)` passes on."""

    contact: dict[str, Any] | None
    debug: bool
    default_response_class: type[Response]
    description: str
    docs_url: str | None
    exception_handlers: (
        Mapping[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]]
        | None
    )
    form_limits: FormLimits | None
    license_info: dict[str, Any] | None
    max_body_size: int | None
    middleware: Sequence[Middleware] | None
    on_shutdown: Sequence[Callable[[], object]] | None
    on_startup: Sequence[Callable[[], object]] | None
    openapi_external_docs: dict[str, Any] | None
    openapi_tags: list[dict[str, Any]] | None
    openapi_url: str | None
    redirect_slashes: bool
    redoc_url: str | None
    root_path: str
    root_path_in_servers: bool
    routes: list[BaseRoute] | None
    separate_input_output_schemas: bool
    servers: list[dict[str, Any]] | None
    strict_content_type: bool
    summary: str | None
    swagger_ui_init_oauth: dict[str, Any] | None
    swagger_ui_oauth2_redirect_url: str | None
    swagger_ui_parameters: dict[str, Any] | None
    telemetry: TelemetryConfig | None
    terms_of_service: str | None
    version: str
    webhooks: APIRouter | None


def keys_of(kind: Any) -> set[str]:
    """Return the keys of a `TypedDict` of options, none of which is required."""
    return set(kind.__optional_keys__)
