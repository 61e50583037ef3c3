"""An application for the supervisor to serve: it is always ready, and starts a worker on demand."""

import os
import subprocess
import sys

if os.environ.get("STARTS_WORKER"):
    worker = subprocess.Popen((sys.executable, "-c", "import signal; signal.pause()"))
    sys.stdout.write(f"worker {worker.pid}\n")


async def app(scope, receive, send):
    """Answer every request with 200."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ready"})
