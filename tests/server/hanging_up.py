"""An application that is no gateway and gets SIGHUP while it is imported and started."""

import os
import signal

os.kill(os.getpid(), signal.SIGHUP)


async def app(scope, receive, send):
    """Answer every request with 200."""
    if scope["type"] == "lifespan":
        await receive()
        os.kill(os.getpid(), signal.SIGHUP)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
