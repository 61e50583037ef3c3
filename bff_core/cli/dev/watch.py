"""Watches the files of a project, and finds the programs that a change concerns."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from bff_core.cli.dev.program import Program
from bff_core.extras import advice

SUFFIXES: Final = frozenset(
    {".py", ".toml", ".yaml", ".yml", ".json", ".graphql", ".html", ".jinja", ".js", ".css", ".txt"}
)
"""Files that a program may read at its start."""

UNWATCHED: Final = frozenset(
    {"tests", "docs", "node_modules", "__pycache__", "build", "dist", "site", "venv", "htmlcov"}
)
"""Folders of a project whose files no program reads."""

SETTINGS: Final = frozenset({".env", "pyproject.toml"})
"""Files in the root of a project that `bff dev` itself reads."""

DEBOUNCE_MS: Final = 50
STEP_MS: Final = 20


class NoWatcher(Exception):
    """Files can't be watched; the message says why."""


class Owners:
    """Which paths belong to which program.

    A gateway owns the folder of its app, if no other gateway has its app there; else its module. A
    service owns the module or package that its command runs; where several services run the same
    package, each owns what is named like it. Other code beside services is theirs, and all else is
    shared by the gateways. Other data is read by those gateways whose package has it, and by those
    programs whose variables or command name it.
    """

    def __init__(
        self, programs: Sequence[Program], environ: Mapping[str, str] | None = None
    ) -> None:
        self._programs = programs
        self._environ = environ or {}
        self._gateways = [one for one in programs if one.is_gateway]
        self._modules = {
            one.name: _module(one.app.partition(":")[0], one.root) for one in self._gateways
        }
        folders = [path.parent for path in self._modules.values()]
        self._owned = {
            name: path.parent
            if folders.count(path.parent) == 1 and path.parent != self._gateways[0].root
            else path.with_suffix("")
            for name, path in self._modules.items()
        }
        self._services = {one.name: path for one in programs if (path := _run_by(one)) is not None}

    def concerned(self, paths: Collection[Path]) -> set[str]:
        """Return the names of the programs that have to be started again."""
        return {name for path in paths for name in self._of(path)}

    def _of(self, path: Path) -> set[str]:
        if owners := {name for name, place in self._owned.items() if _is_below(path, place)}:
            return owners
        if self._is_of_new_gateway(path):
            return set()
        if near := {name for name, place in self._services.items() if _is_below(path, place)}:
            named = {
                name
                for name in near
                if _is_below(path, self._services[name] / name.replace("-", "_"))
            }
            return named or near
        if path.suffix != ".py":
            return self._readers(path)
        return self._beside(path) or {one.name for one in self._gateways}

    def _is_of_new_gateway(self, path: Path) -> bool:
        """Whether a folder beside those of gateways has an app of its own, which does not run."""
        return any(
            (folder / module.name).is_file()
            for module in self._modules.values()
            if module.name != "__init__.py"
            for folder in path.parents
            if folder.parent == module.parent.parent
            and folder != module.parent
            and folder.is_relative_to(self._gateways[0].root)
        )

    def _beside(self, path: Path) -> set[str]:
        """Return the services whose modules are in a folder that has no gateway."""
        return {
            name
            for name, place in self._services.items()
            if place.parent in path.parents
            and not any(place.parent in module.parents for module in self._modules.values())
        }

    def _readers(self, path: Path) -> set[str]:
        """Return the programs that may read a file of data."""
        return {
            one.name
            for one in self._programs
            if self._is_in_package(path, one) or self._is_named(path, one)
        }

    def _is_in_package(self, path: Path, program: Program) -> bool:
        """Whether a file is in the package of the project that has the gateway."""
        if not program.is_gateway:
            return False
        package = program.root / program.app.partition(":")[0].partition(".")[0]
        return package in path.parents

    def _is_named(self, path: Path, program: Program) -> bool:
        words = [*program.env.values(), *program.command]
        words += self._environ.values() if program.is_gateway else ()
        return any(program.root / word == path for word in words)


def _is_below(path: Path, place: Path) -> bool:
    """Whether a path is a module, or a file of a package."""
    return path.with_suffix("") == place or place in path.parents


def _module(name: str, root: Path) -> Path:
    """Return the file of a module; a package is its `__init__.py`."""
    path = root.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _run_by(program: Program) -> Path | None:
    """Return what `python -m MODULE` or `python FILE.py` runs, if it is of the project."""
    words = program.command
    if program.is_gateway or len(words) < 2:
        return None
    if words[1] == "-m" and len(words) > 2:
        path = program.root.joinpath(*words[2].split("."))
        exists = path.is_dir() or path.with_suffix(".py").is_file()
        return path if exists else None
    named = next((one for one in words if (program.root / one).is_file()), None)
    return None if named is None else (program.root / named).with_suffix("")


async def watch(root: Path, on_change: Callable[[set[Path]], None]) -> None:
    """Call `on_change` with the files that were saved together, until the task is cancelled.

    Raises `NoWatcher` without the library.
    """
    try:
        from watchfiles import Change, DefaultFilter, awatch  # noqa: PLC0415 # of an extra
    except ImportError:
        raise NoWatcher(
            f"files are not watched, since watchfiles is missing: {advice('scaffold')}"
        ) from None
    is_wanted = DefaultFilter()

    def is_relevant(change: Change, name: str) -> bool:
        return is_read(Path(name), root) and is_wanted(change, name)

    async def follow(*paths: Path, recursive: bool) -> None:
        async for found in awatch(
            *paths,
            watch_filter=is_relevant,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            recursive=recursive,
        ):
            on_change({Path(name) for _, name in found})

    # Not all below the root: an environment or a `node_modules` in it has too many folders.
    folders = _watched_folders(root)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follow(root, recursive=False))
        if folders:
            tasks.create_task(follow(*folders, recursive=True))


def _watched_folders(root: Path) -> list[Path]:
    return [one for one in root.iterdir() if one.is_dir() and not _is_unwatched(one)]


def is_read(path: Path, root: Path) -> bool:
    """Whether a program may read a file of the project at its start."""
    inner = path.relative_to(root).parts if path.is_relative_to(root) else path.parts
    if len(inner) == 1 and path.name in SETTINGS:
        return True
    return path.suffix in SUFFIXES and not _is_unwatched(root / inner[0])


def _is_unwatched(path: Path) -> bool:
    """Whether a folder in the root has nothing that a program reads."""
    is_known = path.name in UNWATCHED or path.name.startswith(".")
    return is_known or (path / "pyvenv.cfg").exists()
