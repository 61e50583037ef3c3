"""Runs nginx, whose files are all in one folder, for as long as a test needs it."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CONFIGURATION = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{servers}
}}
"""

PATIENCE = 10.0
"""Seconds in which nginx accepts connections, or ends."""


def nginx_program() -> str:
    """Find nginx, which may not be on the path of an ordinary user."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found is not None
    return found


@contextmanager
def nginx(folder: Path, servers: str, *, port: int) -> Iterator[None]:
    """Run nginx with blocks of its `http` context, from when it accepts connections at `port`."""
    user = f"user {pwd.getpwuid(os.getuid()).pw_name};" if os.getuid() == 0 else ""
    file, errors = folder / "nginx.conf", folder / "error.log"
    file.write_text(CONFIGURATION.format(folder=folder, user=user, servers=servers))
    process = subprocess.Popen([nginx_program(), "-e", errors, "-c", file])
    try:
        _wait_for(port, process, errors)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait_for(port: int, process: subprocess.Popen[bytes], errors: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError(f"nginx did not come up:\n{errors.read_text()}")
