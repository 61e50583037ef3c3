"""What a process reports about itself and its gateway, and what the console stores in it."""

import os
import sys
from collections.abc import Mapping, Sequence

import msgspec

from bff_core.console.api.credentials import credentials_of
from bff_core.console.installation import INFO
from bff_core.console.model import GatewayInfo, WorkerInfo
from bff_core.console.process_state import state_of
from bff_core.console.sign_in.operator_session import END_SESSION
from bff_core.console.sources import ACTIONS_COMMAND
from bff_core.gateway.app import Gateway
from bff_core.gateway.index_page import BY_FIELD, rows_of
from bff_core.observe.process_socket import Command
from bff_core.proxy.face import Proxy
from bff_core.routing.face import Face

_CLIENTS = {
    "ios": ("ios", "iphone", "ipad"),
    "android": ("android",),
    "mobile": ("mobile", "phone", "app"),
    "desktop": ("desktop",),
    "tv": ("tv",),
    "web": ("web", "browser", "site", "shop"),
}
"""Kinds of clients, and what names of their gateways contain."""


def commands(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this area."""
    state = state_of(gateway)

    async def info(_: bytes) -> bytes:
        return msgspec.json.encode(_info(gateway))

    async def actions(_: bytes) -> bytes:
        return msgspec.json.encode(list(state.actions))

    async def end_session(body: bytes) -> bytes:
        nonce, expiry = msgspec.json.decode(body, type=tuple[str, float])
        state.ended.add(nonce, expiry)
        return b"null"

    return {INFO: info, ACTIONS_COMMAND: actions, END_SESSION: end_session}


def _info(gateway: Gateway) -> GatewayInfo:
    pressure = gateway.shedding.pressure
    worker = WorkerInfo(
        pid=os.getpid(),
        started=gateway.console.started,
        lag=pressure.lag,
        in_flight=pressure.in_flight,
        limit=pressure.limit,
    )
    faces = gateway.config.faces
    graphql = _graphql_paths(faces)
    proxies = [one for one in faces if isinstance(one, Proxy)]
    has_proxy = any(one.routes for one in proxies)
    kinds = [
        *(["GraphQL"] if graphql else []),
        *(["REST"] if len(faces) > len(graphql) + len(proxies) else []),
        *(["proxy"] if has_proxy else []),
    ]
    return GatewayInfo(
        name=gateway.title,
        url=gateway.settings.public_url,
        client=_client(gateway.title),
        kinds=", ".join(kinds),
        graphql=graphql[0] if graphql else "",
        has_openapi=gateway.openapi_url is not None and _has_operations(gateway),
        has_proxy=has_proxy,
        credentials=credentials_of(
            gateway.config.authenticator, is_development=gateway.settings.env == "development"
        ),
        workers=[worker],
    )


def _has_operations(gateway: Gateway) -> bool:
    """Whether clients call routes besides GraphQL."""
    return any(row.access != BY_FIELD for row in rows_of(gateway.routes, (), {}))


def _graphql_paths(faces: Sequence[Face]) -> list[str]:
    """Return the paths of GraphQL; without its module, which needs an extra, there are none."""
    module = sys.modules.get("bff_core.graphql.face")
    return [] if module is None else [one.path for one in faces if isinstance(one, module.GraphQL)]


def _client(name: str) -> str:
    """Return the kind of clients that a gateway's name suggests; empty if it suggests none."""
    lowered = name.lower()
    return next((kind for kind, words in _CLIENTS.items() if any(w in lowered for w in words)), "")
