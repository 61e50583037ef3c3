"""The page "Ten minutes", typed as it stands, in an empty folder with the wheel."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from markdown_pages import DOCS, ROOT, Block, page
from page_runner import free_ports, write_file
from terminal import Terminal, shows

pytestmark = [pytest.mark.slow, pytest.mark.needs("curl")]

NAMED = {"MOBILE_PORT": 8001, "WEB_PORT": 8002, "CATALOG_PORT": 9001, "RATINGS_PORT": 9002}
"""The ports that the page names; the test uses free ones in their place."""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment of someone who has Python, and nothing of ours."""
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation")
    wheels = ("--wheel-dir", str(tmp_path / "wheels"))
    subprocess.run([sys.executable, "-m", "pip", *build, *wheels, str(ROOT)], check=True)
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BFF_", "PYTHON", "VIRTUAL_ENV", "COVERAGE", "PYTEST"))
    }
    ports = {name: str(port) for name, port in zip(NAMED, free_ports(len(NAMED)), strict=True)}
    fast = {"PIP_NO_COMPILE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return {**plain, **ports, **fast, "PATH": f"{_folder_with_python(tmp_path)}:{plain['PATH']}"}


def _folder_with_python(tmp_path: Path) -> Path:
    """Return a folder whose `python3` is the interpreter of these tests, without its packages."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    return folder


@pytest.fixture
def terminals(tmp_path: Path, environ: dict[str, str]) -> Iterator[tuple[Terminal, Terminal]]:
    """Open the two terminals of the page."""
    with closing(Terminal(tmp_path, environ)) as first, closing(Terminal(tmp_path, environ)) as two:
        yield first, two


def test_ten_minutes(
    tmp_path: Path, environ: dict[str, str], terminals: tuple[Terminal, Terminal]
) -> None:
    """Someone who types what the page says gets what the page shows."""
    first, second = terminals
    addresses = {f"localhost:{port}": f"localhost:{environ[name]}" for name, port in NAMED.items()}
    for block in page(DOCS / "ten-minutes.md").blocks:
        if block.language == "python":
            write_file(block, tmp_path / "shop")
        elif block.text == "$ make run\n":
            second.type("cd shop")
            second.start("make run", until="event=run.ready")
        else:
            _type(first, block, addresses)


def _type(terminal: Terminal, block: Block, addresses: Mapping[str, str]) -> None:
    """Type the commands of a block, and compare what they print."""
    for part in f"\n{block.text}".split("\n$ ")[1:]:
        typed, _, printed = part.partition("\n")
        lines = [typed, *(line[2:] for line in printed.splitlines() if line.startswith("> "))]
        expected = "\n".join(line for line in printed.splitlines() if not line.startswith("> "))
        command = "\n".join(lines)
        for named, real in addresses.items():
            command = command.replace(named, real)
        status, output = terminal.type(command)

        assert status == 0, f"line {block.line}: {typed}\n{output}"
        assert shows(output, expected), f"line {block.line}: {typed}\n{output}"
