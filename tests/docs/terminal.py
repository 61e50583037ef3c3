"""A terminal in which a reader types the commands of a page, one after another."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

SECONDS_TO_END = 20.0
_ABOUT = re.compile(r"…+")


class Terminal:
    """A shell that stays open: folders and activated environments last from command to command."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**environ, "PS1": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def type(self, command: str) -> tuple[int, str]:
        """Run a command; return its status and its output."""
        assert self._shell.stdin
        assert self._shell.stdout
        end = f"end-of-{time.monotonic_ns()}"
        self._shell.stdin.write(f"{command}\nprintf '\\n{end} %s\\n' $?\n")
        self._shell.stdin.flush()
        lines = []
        for line in self._shell.stdout:
            if line.startswith(end):
                return int(line.split()[1]), "".join(lines).removesuffix("\n")
            lines.append(line)
        raise AssertionError(f"the shell ended in: {command}\n{''.join(lines)}")

    def start(self, command: str, until: str) -> None:
        """Run a command that does not end; wait until its output has this text."""
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(f"exec {command}\n")
        self._shell.stdin.flush()
        lines = []
        for line in self._shell.stdout:
            lines.append(line)
            if until in line:
                return
        raise AssertionError(f"{command} ended:\n{''.join(lines)}")

    def close(self) -> None:
        """End the shell and what runs in it."""
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, signal.SIGTERM)
        try:
            self._shell.communicate(timeout=SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            os.killpg(self._shell.pid, signal.SIGKILL)
            self._shell.communicate()


def shows(output: str, expected: str) -> bool:
    """Whether an output has the expected lines in this order; `…` stands for any text."""
    lines = iter(output.splitlines())
    return all(any(_matches(line, wanted) for line in lines) for wanted in expected.splitlines())


def _matches(line: str, wanted: str) -> bool:
    pattern = ".*".join(map(re.escape, _ABOUT.split(wanted.rstrip())))
    return re.fullmatch(pattern, line.rstrip()) is not None
