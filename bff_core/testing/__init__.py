"""The test kit for gateways: scripted services, virtual time, a client, the failure matrix."""

from bff_core.public_names import publish
from bff_core.testing.asgi import asgi
from bff_core.testing.assertions import (
    HTTPAnswer,
    assert_complete,
    assert_parts,
    assert_size,
    parts_of,
)
from bff_core.testing.calls import Calls, ReceivedCall
from bff_core.testing.faults import ALL_FAULTS, Failure, failures
from bff_core.testing.gateway_client import GatewayClient, OpenClient, client, running
from bff_core.testing.gateway_under_test import App
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.matrix import failure_matrix
from bff_core.testing.outcomes import check_outcome, outcome
from bff_core.testing.recording import record
from bff_core.testing.replaying import replay
from bff_core.testing.scripted import (
    Scripted,
    ScriptedTransport,
    Step,
    empty,
    fail,
    fail_with,
    garbage,
    hang,
    reply,
    slow,
    stream,
)
from bff_core.testing.scripts import Script, ScriptedService, UnscriptedCall
from bff_core.testing.virtual_time import NothingToWaitFor, VirtualTimeLoop

__all__ = [
    "ALL_FAULTS",
    "App",
    "Calls",
    "Failure",
    "GatewayClient",
    "HTTPAnswer",
    "LayerRuntime",
    "NothingToWaitFor",
    "OpenClient",
    "ReceivedCall",
    "Script",
    "Scripted",
    "ScriptedService",
    "ScriptedTransport",
    "Step",
    "UnscriptedCall",
    "VirtualTimeLoop",
    "asgi",
    "assert_complete",
    "assert_parts",
    "assert_size",
    "check_outcome",
    "client",
    "empty",
    "fail",
    "fail_with",
    "failure_matrix",
    "failures",
    "garbage",
    "hang",
    "outcome",
    "parts_of",
    "record",
    "replay",
    "reply",
    "running",
    "slow",
    "stream",
]

publish(__name__, __all__)
