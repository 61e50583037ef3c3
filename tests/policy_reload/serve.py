"""The gateway for a server process."""

import os
import sys

from bff_core import ConfigurationError
from bff_core.upstream.stack import wire
from tests.policy_reload.club import make


def refusing_transport():
    """Return what opens a transport once, and then refuses."""
    opened = []

    def open_transport(*options):
        if opened:
            raise ConfigurationError("worker 2 has no transport for that")
        opened.append(options)
        return wire(*options)

    return open_transport


refuses = sys.argv[1:] and os.environ.get("REFUSES_IN_WORKER") in sys.argv
app = make(transport=refusing_transport()) if refuses else make()
