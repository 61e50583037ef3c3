"""Changes of files that are written all together or not at all."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Self

from bff_core.cli.errors import CannotRun

Undo = Callable[[], object]


class Tree:
    """The files of a folder, with changes that are held in memory until `commit`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._prefix = ""
        self._changes: dict[str, bytes | None] = {}

    def below(self, folder: str) -> Self:
        """Return a folder of the tree, as a tree that shares its changes."""
        inner = type(self)(self.root)
        inner._prefix = f"{self._prefix}{folder}/"  # noqa: SLF001 # of the same class
        inner._changes = self._changes  # noqa: SLF001 # of the same class
        return inner

    def read(self, path: str) -> str | None:
        """Return the text of a file, as it will be; None if there is none."""
        full = self._prefix + path
        try:
            content = self._changes[full] if full in self._changes else self._on_disk(full)
            return None if content is None else content.decode()
        except UnicodeDecodeError:
            raise CannotRun(f"{self.root / full} is not UTF-8 text") from None

    def write(self, path: str, content: str | bytes) -> None:
        """Replace a file, or create it."""
        data = content.encode() if isinstance(content, str) else content
        self._change(self._prefix + path, data)

    def delete(self, path: str) -> None:
        """Remove a file."""
        self._change(self._prefix + path, None)

    def paths(self) -> list[str]:
        """Return the paths of all files, as they will be."""
        folder = self.root / self._prefix
        on_disk = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
        for full, content in self._changes.items():
            if full.startswith(self._prefix):
                path = full.removeprefix(self._prefix)
                (on_disk.discard if content is None else on_disk.add)(path)
        return sorted(on_disk)

    def created(self) -> list[str]:
        """Return the paths of files that `commit` will create."""
        return sorted(set(self._written()) - set(self.changed()))

    def changed(self) -> list[str]:
        """Return the paths of files that `commit` will change."""
        return sorted(path for path in self._written() if (self.root / path).is_file())

    def commit(self) -> None:
        """Write all changes; if one fails, undo those before it and raise."""
        undo: list[Undo] = []
        try:
            for full, content in self._changes.items():
                self._apply(self.root / full, content, undo)
        except BaseException as error:
            for step in reversed(undo):
                step()
            if isinstance(error, OSError):
                raise CannotRun(f"nothing was changed: {error}") from None
            raise
        self._changes.clear()

    def _change(self, full: str, content: bytes | None) -> None:
        if ".." in full.split("/") or full.startswith("/"):
            raise CannotRun(f"{full} is outside of {self.root}: nothing is written there")
        if content == self._on_disk(full):
            self._changes.pop(full, None)
        else:
            self._changes[full] = content

    def _written(self) -> list[str]:
        return [path for path, content in self._changes.items() if content is not None]

    def _on_disk(self, full: str) -> bytes | None:
        try:
            return (self.root / full).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise CannotRun(f"{self.root / full} can't be read: {error}") from None

    @staticmethod
    def _apply(path: Path, content: bytes | None, undo: list[Undo]) -> None:
        for folder in reversed([path.parent, *path.parent.parents]):
            if not folder.exists():
                folder.mkdir()
                undo.append(folder.rmdir)
        if not path.is_file():
            if content is not None:
                _create(path, content, undo)
            return
        before = path.read_bytes()
        if content is None:
            path.unlink()
            undo.append(lambda: path.write_bytes(before))
        else:
            _replace(path, content)
            undo.append(lambda: _replace(path, before))


def _create(path: Path, content: bytes, undo: list[Undo]) -> None:
    with path.open("xb") as file:
        undo.append(path.unlink)
        file.write(content)


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step, with the permissions of the one that it replaces."""
    target = path.resolve()
    with NamedTemporaryFile(dir=target.parent, prefix=".bff-", delete=False) as file:
        temporary = Path(file.name)
        file.write(content)
    try:
        shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink()
        raise
