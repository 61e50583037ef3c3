"""The benchmark's proxy on this framework, with everything on that a gateway has by default."""

from bff_core import ANYONE, Upstream, gateway
from bff_core.proxy import Match, Proxy, Route


class Files(Upstream):
    """The service that clients reach through the gateway."""


ROUTES = [Route("files", Match("/{rest:path}"), to=Files, access=ANYONE)]

app = gateway("bench", faces=[Proxy(routes=ROUTES)])
