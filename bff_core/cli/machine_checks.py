"""Checks of `bff doctor` that concern the machine: Python, libraries, limits, clock, files."""

import importlib.metadata
import os
import platform
import re
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bff_core.cli.findings import Finding, fail, note, ok
from bff_core.cli.output import counted
from bff_core.errors import ConfigurationError
from bff_core.extras import advice
from bff_core.settings.env_file import DEFAULT, read_env_file

AREA: Final = "machine"

MIN_FILES: Final = 1024
GOOD_FILES: Final = 8192
"""Open files: each connection of a client and each one to a service is one."""


def machine_findings() -> Iterator[Finding]:
    """Yield what was found of Python, its libraries, and the limits of the process."""
    yield ok(AREA, f"{platform.python_implementation()} {platform.python_version()}")
    yield _event_loop()
    yield from _extras()
    yield from _open_files()
    yield from _clock()


def _event_loop() -> Finding:
    if find_spec("uvloop") is not None:
        return ok(AREA, "uvloop runs the event loop")
    if sys.platform == "win32":
        return ok(AREA, "asyncio runs the event loop; there is no uvloop for Windows")
    return note(AREA, "asyncio runs the event loop", "It is slower: pip install uvloop")


def _extras() -> Iterator[Finding]:
    """Yield the extras whose libraries are missing; no gateway needs all of them."""
    for extra, names in sorted(_libraries_of_extras().items()):
        missing = [name for name in names if not _is_installed(name)]
        if missing:
            yield note(
                AREA,
                f"extra {extra} is not installed: {', '.join(missing)}",
                f"If you need it: {advice(extra)}",
            )


def _libraries_of_extras() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    try:
        requirements = importlib.metadata.requires("bff-core") or []
    except importlib.metadata.PackageNotFoundError:
        return found
    for one in requirements:
        name = re.match(r"[\w.-]+", one)
        extra = re.search(r"extra == [\"']([\w-]+)[\"']", one)
        if name is not None and extra is not None:
            found.setdefault(extra[1], []).append(name[0])
    return found


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _open_files() -> Iterator[Finding]:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 # Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= GOOD_FILES:
        yield ok(AREA, f"{soft if soft >= 0 else 'any number of'} open files are allowed")
        return
    most = hard if hard >= 0 else GOOD_FILES
    advice = f"Each connection takes one: ulimit -n {max(soft, min(65_536, most))}"
    make = fail if soft < MIN_FILES else note
    yield make(AREA, f"{soft} open files are allowed", advice)


def _clock() -> Iterator[Finding]:
    """Compare the clock with the newest file of the framework: it can't be from the future."""
    newest = max(one.stat().st_mtime for one in Path(__file__).parent.glob("*.py"))
    if time.time() < newest - 86_400:
        day = time.strftime("%Y-%m-%d", time.gmtime())
        yield fail(AREA, f"the clock shows {day}, a day that has passed", "Set it, as by NTP")


def env_file_findings(root: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what was found of `.env` in the project."""
    area, file, example = "project", root / DEFAULT, root / ".env.example"
    if not file.is_file():
        if example.is_file():
            yield note(area, "there is no .env", "Begin with the example: cp .env.example .env")
        return
    try:
        read = read_env_file(file)
    except ConfigurationError as error:
        yield fail(area, str(error), "Write one NAME=value a line")
        return
    yield ok(area, f".env sets {counted(len(read), 'variable')}")
    hidden = sorted(name for name in read if name in environ and environ[name] != read[name])
    if hidden:
        names = ", ".join(hidden)
        yield note(area, f"the environment overrides .env: {names}", f"unset {' '.join(hidden)}")
    if os.name == "posix" and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield note(area, ".env can be read by other users of the machine", "chmod 600 .env")
    if example.is_file():
        yield from _missing_of_example(example, {*read, *environ})


def _missing_of_example(example: Path, known: set[str]) -> Iterator[Finding]:
    try:
        missing = sorted(read_env_file(example).keys() - known)
    except ConfigurationError as error:
        yield note("project", str(error), "Write one NAME=value a line")
        return
    if missing:
        yield note(
            "project",
            f".env lacks variables of .env.example: {', '.join(missing)}",
            "Add them, or remove them from the example",
        )
