"""The files that the wheel carries: built from the sources, small, without addresses of others."""

import gzip
import re
from pathlib import Path

import pytest

from tests.console.npm import ASSETS, SOURCES, run

MAX_STYLE_BYTES = 20_000
MAX_SCRIPT_BYTES = 60_000
"""Of the first page, compressed."""

IMPORT = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')


def imported(name: str, found: set[str] | None = None) -> set[str]:
    """Return a script and all that it imports before it runs."""
    found = set() if found is None else found
    if name not in found:
        found.add(name)
        for other in IMPORT.findall((ASSETS / name).read_text()):
            imported(other, found)
    return found


@pytest.mark.slow
@pytest.mark.needs("node", "npm")
def test_the_assets_are_those_that_the_sources_give(npm_folder: Path, tmp_path: Path):
    """A build with the locked packages writes the committed files, byte by byte."""
    run("node", "build.mjs", str(tmp_path / "assets"), cwd=npm_folder)

    built = {path.name: path.read_bytes() for path in (tmp_path / "assets").iterdir()}
    committed = {path.name: path.read_bytes() for path in ASSETS.iterdir()}
    assert sorted(built) == sorted(committed)
    assert [name for name in built if built[name] != committed[name]] == []


def test_the_scripts_of_the_first_page_are_small():
    """The shell and the overview are at most 60 KB, compressed."""
    names = imported("main.js") | imported("overview.js")

    sizes = [len(gzip.compress((ASSETS / name).read_bytes(), mtime=0)) for name in names]
    assert len(sizes) >= 3
    assert sum(sizes) <= MAX_SCRIPT_BYTES


def test_the_styles_of_the_first_page_are_small():
    """The styles of the shell and the overview are at most 20 KB."""
    size = sum((ASSETS / name).stat().st_size for name in ("main.css", "overview.css"))

    assert 0 < size <= MAX_STYLE_BYTES


def test_each_page_has_its_script_and_its_style():
    """What `main.js` loads for an address is there."""
    names = set(re.findall(r'import\("\./(\w+)\.js"\)', (ASSETS / "main.js").read_text()))

    assert names == {path.stem for path in (SOURCES / "src" / "pages").glob("*.js")}
    assert all((ASSETS / f"{name}{kind}").exists() for name in names for kind in (".js", ".css"))


def test_the_document_obeys_the_policy_of_the_pages():
    """It has no inline script but data, no inline style, and loads nothing from elsewhere."""
    document = (ASSETS / "index.html").read_text()

    scripts = re.findall(r"<script([^>]*)>([^<]*)</script>", document)
    assert [body for attributes, body in scripts if "application/json" not in attributes] == [""]
    assert "style=" not in document
    assert "<style" not in document
    assert re.findall(r'(?:src|href)="(https?:)?//', document) == []


def test_sources_have_no_markup_of_others_data():
    """No template sets `innerHTML`, and none has a `style` attribute as text."""
    sources = [*(SOURCES / "src").rglob("*.js")]

    assert len(sources) > 20
    forbidden = re.compile(r'innerHTML|insertAdjacentHTML|outerHTML|\bstyle="')
    assert [path.name for path in sources if forbidden.search(path.read_text())] == []


def test_notices_name_each_bundled_package():
    """Licences of others are in the wheel with what they cover."""
    notices = (ASSETS / "NOTICES.txt").read_text()

    for package in ("preact", "htm", "@preact/signals", "@preact/signals-core"):
        assert re.search(rf"^{re.escape(package)} \d", notices, re.MULTILINE)
