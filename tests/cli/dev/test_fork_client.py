"""Starting a process by the fork server of `bff dev`."""

import asyncio
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bff_core.cli.dev.child import reader_of
from bff_core.cli.dev.fork_client import IS_AVAILABLE, ForkClient, started_server

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.skipif(not IS_AVAILABLE, reason="processes are not forked here")
async def test_a_start_that_is_cancelled_leaves_no_process():
    """A service that is started while the run ends must not outlive it."""
    client = ForkClient(started_server(ROOT))
    await client.ready()
    source, sink = os.pipe()
    starting = asyncio.create_task(
        client.start("http.server", ["0"], os.environ, (sink,), is_reload=False)
    )
    await asyncio.sleep(0)  # the order is sent
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    os.close(sink)

    output = await reader_of(source)
    async with asyncio.timeout(10):  # the end of its output is that of the process
        await output.read()
    await client.close()


FORK = """
import socket
from pathlib import Path

from bff_core.cli.dev.fork_client import forked_server

listener = socket.create_server(("127.0.0.1", 0))
address = listener.getsockname()
server = forked_server(Path.cwd(), listener.close)
server.channel.recv(1 << 20)  # it is ready
listener.close()
with socket.socket() as client:
    print(client.connect_ex(address))
server.channel.close()
server.wait()
"""


@pytest.mark.slow
@pytest.mark.skipif(not IS_AVAILABLE, reason="processes are not forked here")
def test_programs_do_not_inherit_the_port_of_the_console():
    """A program that outlives `bff dev` must not hold it: the next run would not find it free."""
    done = subprocess.run(
        (sys.executable, "-c", FORK), cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{errno.ECONNREFUSED}\n"
