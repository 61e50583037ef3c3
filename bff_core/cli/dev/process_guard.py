"""Ends the programs of a supervisor that was killed, so that none is left behind.

It is a process whose input is a pipe from the supervisor. Lines `+pgid` and `-pgid` tell it
which process groups are alive; the end of input says that the supervisor is gone, be it by SIGKILL,
which nothing inside the supervisor could handle.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

GRACE_SECONDS = 3.0
POLL_SECONDS = 0.05


class ProcessGuard:
    """The supervisor's side of the pipe."""

    def __init__(self) -> None:
        command = (sys.executable, "-I", str(Path(__file__)))
        # A session of its own: what ends the supervisor's terminal or group must not end it.
        self._process = subprocess.Popen(  # noqa: S603 # this Python
            command, stdin=subprocess.PIPE, start_new_session=True
        )

    def guard(self, group: int) -> None:
        """Have this process group ended if the supervisor dies."""
        self._write(f"+{group}\n")

    def release(self, group: int) -> None:
        """Forget a process group."""
        self._write(f"-{group}\n")

    def end(self, group: int) -> None:
        """Kill what is left of a process group whose leader has ended, and forget it."""
        signal_group(group, signal.SIGKILL)
        self.release(group)

    def close(self) -> None:
        """Close the pipe; the guard ends the remaining groups."""
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait()

    def _write(self, line: str) -> None:
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def main() -> None:
    """Track the process groups until the input ends, then end the remaining ones."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line[0] == "+" else groups.discard
        change(int(line[1:]))
    end(groups)


def end(groups: Iterable[int]) -> None:
    """Terminate process groups, and kill those that do not end within the grace."""
    left = [group for group in groups if signal_group(group, signal.SIGTERM)]
    limit = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
        left = [group for group in left if signal_group(group, 0)]
    for group in left:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; return whether there was one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        return False
    return True


if __name__ == "__main__":
    main()
