"""Examples are typed as strictly as the framework itself, without a plugin."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from markdown_pages import ROOT, Page, pages
from page_runner import write_file

PLAYED = ("README.md", "docs/tutorial.md", "docs/how-to/testing.md")
CACHE = ROOT / ".mypy_cache" / "examples"


def complaints(folder: Path, files: Iterable[Path]) -> str:
    """Return what mypy says of files."""
    options = ("--strict", "--config-file=", f"--cache-dir={CACHE}", "--follow-imports=silent")
    done = subprocess.run(
        (sys.executable, "-m", "mypy", *options, *map(str, files)),
        cwd=folder,
        env={"MYPYPATH": f"{ROOT}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def written(page: Page, folder: Path) -> Path | None:
    """Write the examples of a page as one module; None where there are none."""
    code = [block.text for block in page.blocks if block.language == "python"]
    if not code:
        return None
    path = folder / f"{page.name.removesuffix('.md').replace('/', '_').lower()}_page.py"
    path.write_text("\n".join(code))
    return path


def test_examples_are_typed(tmp_path):
    """Each page's examples, as one module."""
    others = [page for page in pages() if page.name not in PLAYED]
    files = [file for page in others if (file := written(page, tmp_path))]

    assert len(files) > 10
    assert complaints(tmp_path, files) == ""


@pytest.mark.parametrize("name", PLAYED)
def test_files_of_a_page_are_typed(name, tmp_path):
    """The files that a page has its reader write, as they are in the end."""
    [page] = [page for page in pages() if page.name == name]
    files = {write_file(block, tmp_path) for block in page.blocks if block.language == "python"}

    assert files
    assert complaints(tmp_path, sorted(files)) == ""


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_a_verb_takes_its_own_options_only(verb, tmp_path):
    """A wrong option, or a reply of another type than the method's, is an error of types."""
    file = tmp_path / f"{verb}_of_shop.py"
    lines = (
        "from bff_core import Upstream",
        "class Shop(Upstream):",
        "    async def right(self) -> int | None:",
        f'        return await self.{verb}("/a/{{id}}", int | None, query={{"n": 1}}, id="7")',
        "    async def wrong(self) -> str:",
        f'        return await self.{verb}("/a", str, jsonn={{}})',
        "    async def other(self) -> str:",
        f'        return await self.{verb}("/a", int)',
    )
    file.write_text("\n".join(lines))

    found = complaints(tmp_path, [file])

    assert ":6: error" in found
    assert ":8: error" in found
    assert "Found 2 errors" in found
