"""Routes without code: a reverse proxy over the same table, stack, limits and events as screens."""

from bff_core.proxy.conditions import Condition
from bff_core.proxy.data.faults import ProxyFileError
from bff_core.proxy.data.places import UnreadableFile
from bff_core.proxy.face import Proxy
from bff_core.proxy.files import Files
from bff_core.proxy.forwarder import GrpcNotForwarded
from bff_core.proxy.match import Match
from bff_core.proxy.mirrored_views import MirroredViews
from bff_core.proxy.option_faults import InvalidOptions
from bff_core.proxy.route import Route
from bff_core.proxy.sockets import Socket
from bff_core.proxy.traffic import Mirror, Split
from bff_core.proxy.transform import Headers, PathRewrite, Query, Transform
from bff_core.proxy.transforms.path import UnsafePath
from bff_core.public_names import publish

__all__ = [
    "Condition",
    "Files",
    "GrpcNotForwarded",
    "Headers",
    "InvalidOptions",
    "Match",
    "Mirror",
    "MirroredViews",
    "PathRewrite",
    "Proxy",
    "ProxyFileError",
    "Query",
    "Route",
    "Socket",
    "Split",
    "Transform",
    "UnreadableFile",
    "UnsafePath",
]

publish(__name__, __all__)
