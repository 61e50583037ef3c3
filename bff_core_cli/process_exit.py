"""How the process ends: output that can't be written, and threads that are still running."""

import errno
import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

THREAD_SECONDS: Final = 1.0
"""How long the command waits for threads that modules of the project started."""

_DISK: Final = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}


def open_closed_output() -> None:
    """Give verbs an output to write to where the caller closed it, as in `bff routes >&-`."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 # till the end


def flush_output() -> None:
    """Write what is buffered now, while an error can still be reported."""
    sys.stdout.flush()


def unwritten(error: OSError) -> str | None:
    """Return what to print of an error of writing; None for another error.

    Nothing is printed if the reader is gone, as in `bff routes | head -1`.
    """
    if error.errno == errno.EPIPE:
        return ""
    if error.errno in _DISK:
        return f"bff: the output can't be written: {error.strerror}\n"
    return None


def discard_output() -> None:
    """Drop what is still buffered: the interpreter would fail to write it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def end_despite_threads(status: int) -> None:
    """Let the process end soon, although modules that were only inspected left threads behind.

    The interpreter waits for threads that are no daemons; a gateway's may run forever.
    """
    left = [one for one in threading.enumerate() if not one.daemon]
    if left != [threading.main_thread()]:
        threading.Thread(target=_end, args=(status,), daemon=True).start()


def _end(status: int) -> None:
    time.sleep(THREAD_SECONDS)
    flush_output()
    sys.stderr.flush()
    os._exit(status)
