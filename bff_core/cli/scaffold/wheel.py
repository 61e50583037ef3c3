"""Finds the wheel of the framework that a project installs.

No package index has bff-core yet, and anyone could register the name there. A project therefore
has the wheel in its folder `wheels`, and requires it by a direct reference with its hash.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution, version
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bff_core.cli.errors import CannotRun

FOLDER = "wheels"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of the framework: its file name, and its content."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The digest that pip and uv compare before they install it."""
        return hashlib.sha256(self.content).hexdigest()


def find_wheel(folder: Path | None) -> Wheel:
    """Return the wheel of the installed version.

    It is looked for in `folder` if one is given; otherwise in the folders of `PIP_FIND_LINKS`, and
    where the installed package came from. Raises `CannotRun` if it is in none of them.
    """
    wanted = f"bff_core-{version('bff-core')}-"
    folders = [folder] if folder else [*_find_links(), *installed_from(_direct_url())]
    broken: CannotRun | None = None
    for one in folders:
        for path in sorted(one.glob(f"{wanted}*.whl"), key=_is_for_one_platform):
            try:
                return _read(path)
            except CannotRun as error:
                broken = broken or error
    if broken:
        raise broken
    raise CannotRun(_advice(f"{wanted}*.whl", folders))


def _read(path: Path) -> Wheel:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("METADATA", "RECORD", "WHEEL"):
                archive.getinfo(f"bff_core-{version('bff-core')}.dist-info/{name}")
            archive.getinfo("bff_core/__init__.py")
        return Wheel(path.name, path.read_bytes())
    except (OSError, KeyError, zipfile.BadZipFile):
        raise CannotRun(f"{path} is not a wheel of bff-core: build it again") from None


def _find_links() -> Iterator[Path]:
    """Yield the folders that pip looks into; addresses of pages are left out."""
    for link in os.environ.get("PIP_FIND_LINKS", "").split():
        if link.startswith("file:"):
            yield Path(unquote(urlsplit(link).path))
        elif "://" not in link:
            yield Path(link).expanduser()


def installed_from(direct_url: str) -> list[Path]:
    """Return the folder of the wheel that a package was installed from, if it was (PEP 610)."""
    url = urlsplit(direct_url)
    is_wheel = url.scheme == "file" and url.path.endswith(".whl")
    return [Path(unquote(url.path)).parent] if is_wheel else []


def _is_for_one_platform(wheel: Path) -> bool:
    return not wheel.stem.endswith("-none-any")


def _direct_url() -> str:
    text = distribution("bff-core").read_text("direct_url.json")
    url: str = json.loads(text)["url"] if text else ""
    return url


def _advice(wanted: str, folders: list[Path]) -> str:
    where = f"; it is not in {', '.join(map(str, folders))}" if folders else ""
    source = urlsplit(_direct_url())
    build = ""
    if source.scheme == "file" and not source.path.endswith(".whl"):
        build = f"\nbuild it first: pip wheel --no-deps --wheel-dir wheels {unquote(source.path)}"
    return (
        f"the project needs the wheel of bff-core, {wanted}{where}\n"
        f"name its folder: bff init … --wheels DIR, or set PIP_FIND_LINKS{build}"
    )
