"""The admin endpoints of services and sagas: `/operator/upstreams`, `…/mirrors`, `…/sagas`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from bff_core.admin.actions import AdminAction, AdminActions
from bff_core.edge.json_errors import unreadable
from bff_core.upstream.operations import (
    CloseCircuit,
    EjectEndpoint,
    Name,
    OpenCircuit,
    RestoreEndpoint,
    UpstreamOperation,
)


class PurgeTags(msgspec.Struct, forbid_unknown_fields=True, tag="purge", tag_field="action"):
    """Drop the cached entries with any of these tags."""

    tags: list[Name]


class ResumeSaga(msgspec.Struct, forbid_unknown_fields=True, tag="resume", tag_field="action"):
    """Resume a saga that waits for its next try."""

    id: Name


Operation = UpstreamOperation | PurgeTags | ResumeSaga
"""What operators may do; as JSON it has its name as `action`."""

T = TypeVar("T", bound=Operation)


class OperationResult(msgspec.Struct):
    """In how many `processes` it was done, and in how many it `changed` something.

    `failed` are the reasons of processes that could not do it. `action` is a sentence about the
    `subject`: what was done.
    """

    processes: int
    changed: int
    subject: str
    action: str
    failed: list[str] = []


Operate = Callable[[Operation], Awaitable[OperationResult]]
"""Does it in all processes of the gateway, and reports it; raises a `ClientError`."""

Report = Callable[[], Awaitable[Mapping[str, object]]]
"""Returns what an endpoint reports."""


def operation_actions(
    operate: Operate, upstreams: Report, sagas: Report | None, mirrors: Report | None = None
) -> AdminActions:
    """Return the endpoints that change how services are called, and that resume sagas.

    `mirrors` reports on the mirrors of routes; None for a gateway that does not count.
    """

    def endpoint(kind: type[T]) -> AdminAction:
        async def act(body: bytes) -> Mapping[str, object]:
            return _shown(await operate(_read(body, kind)))

        return AdminAction("POST", act)

    found = {
        "/operator/upstreams": AdminAction("GET", lambda _: upstreams()),
        "/operator/upstreams/open": endpoint(OpenCircuit),
        "/operator/upstreams/close": endpoint(CloseCircuit),
        "/operator/upstreams/eject": endpoint(EjectEndpoint),
        "/operator/upstreams/restore": endpoint(RestoreEndpoint),
    }
    if mirrors is not None:
        found["/operator/mirrors"] = AdminAction("GET", lambda _: mirrors())
    if sagas is not None:
        found["/operator/sagas"] = AdminAction("GET", lambda _: sagas())
        found["/operator/sagas/resume"] = endpoint(ResumeSaga)
    return found


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error) from error


def _shown(result: OperationResult) -> Mapping[str, object]:
    shown: Mapping[str, object] = msgspec.to_builtins(result)
    return shown
