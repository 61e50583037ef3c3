"""The test kit for gateways: virtual time, scripted upstreams and an in-process client."""

from bff_core.public_names import publish
from bff_core.testing.client import running
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, fail_with, hang, reply
from bff_core.testing.virtual_time import NothingToWaitFor, VirtualTimeLoop

__all__ = [
    "LayerRuntime",
    "NothingToWaitFor",
    "Scripted",
    "ScriptedTransport",
    "VirtualTimeLoop",
    "fail",
    "fail_with",
    "hang",
    "reply",
    "running",
]

publish(__name__, __all__)
