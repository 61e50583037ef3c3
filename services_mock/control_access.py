"""Admits requests to the control routes of a service: no web page may send them."""

import re
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services_mock.problems import Problem

CONTROL = re.compile(r"/__\w+__/?")
"""Paths that count, break and reset: `/__faults__`, `/__calls__`, `/__keys__`, `/__logout__`."""

_NAME = re.compile(r"(?:[a-z0-9-]+|[a-z0-9-]+\.localhost)(?::[0-9]{1,5})?", re.IGNORECASE)
_ADDRESS = re.compile(r"\[?([0-9a-f.:]+?)\]?(?::[0-9]{1,5})?", re.IGNORECASE)


class ControlAccess:
    """The outermost layer: refuses what a page of another site could send to control routes.

    `Host` has to be an address, `localhost` or a name without dots, such as that of a container:
    other names may be made to resolve to this machine (DNS rebinding).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403."""
        app = self._app
        if scope["type"] == "http" and CONTROL.fullmatch(scope["path"]):
            headers = Headers(scope=scope)
            if not is_own_host(headers.get("host", "")):
                detail = "Control routes are for localhost, addresses and names without dots."
                app = Problem(403, "other_host", detail).response()
            elif "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
                detail = "Control routes are not for pages: use curl, a test or the console."
                app = Problem(403, "other_site", detail).response()
        await app(scope, receive, send)


def is_own_host(host: str) -> bool:
    """Whether no one else can make a `Host` resolve to this machine."""
    if _NAME.fullmatch(host):
        return True
    found = _ADDRESS.fullmatch(host)
    try:
        ip_address(found[1] if found is not None else "")
    except ValueError:
        return False
    return True
