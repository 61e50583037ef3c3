"""The JSON of the gateways, workers and services of an installation."""

from typing import Literal

import msgspec

from bff_core.console.model.states import Health


class WorkerInfo(msgspec.Struct, kw_only=True):
    """A process of a gateway; `lag` is how long a turn of its event loop takes."""

    pid: int
    started: float
    lag: float
    in_flight: int
    limit: float


class SilentWorker(msgspec.Struct, kw_only=True):
    """A process that does not answer since `since`: it is stopped, or its event loop is blocked."""

    pid: int
    since: float


class AcceptedCredential(msgspec.Struct, kw_only=True):
    """How callers of a gateway authenticate: `header` holds `prefix` and what they have.

    `example` works as it is, and is empty where none does. `hint` says where to get one.
    `command` prints one, and is empty where none is known. For a session cookie `sign_in` is the
    path at which browsers sign in: in development the console then sends the cookie that they have.
    """

    header: str
    hint: str
    prefix: str = ""
    example: str = ""
    command: str = ""
    sign_in: str = ""


class GatewayInfo(msgspec.Struct, kw_only=True):
    """A gateway: `url` is its address for a browser, `client` web, ios, desktop … for its icon.

    `graphql` is the path of its GraphQL endpoint, empty without one. `kinds` says in words what it
    serves ("GraphQL", "REST", "proxy"). With `has_proxy` it has routes without code. Without
    `credentials` all callers are anonymous. The figures of all pages are without those of `silent`
    workers.
    """

    name: str
    url: str
    client: str = ""
    kinds: str = ""
    graphql: str = ""
    has_openapi: bool = False
    has_proxy: bool = False
    health: Health = "unknown"
    credentials: list[AcceptedCredential] = []
    workers: list[WorkerInfo] = []
    silent: list[SilentWorker] = []


class ProcessInfo(msgspec.Struct, kw_only=True):
    """A process that `bff dev` runs: a gateway or a service; `since` is when it stopped."""

    name: str
    kind: Literal["gateway", "service"]
    port: int
    state: Literal["starting", "running", "stopped", "failed"]
    takes_faults: bool = False
    since: float | None = None


class Installation(msgspec.Struct, kw_only=True):
    """What the console looks at; `is_development` says whether it may break and start things.

    `shop` is an address that the foot of the navigation links to. `can_sign_out` is whether this
    browser has a session.
    """

    version: str
    is_development: bool
    gateways: list[GatewayInfo]
    processes: list[ProcessInfo] = []
    shop: str = ""
    can_sign_out: bool = False
