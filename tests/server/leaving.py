"""An application that ends its process when it serves, and sends it SIGHUP then."""

import atexit
import os
import signal

atexit.register(os.kill, os.getpid(), signal.SIGHUP)


async def app(scope, receive, send):
    """Have the process end; answer nothing."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    os.kill(os.getpid(), signal.SIGTERM)
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
