"""Examples are typed as strictly as the framework itself, without a plugin."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from markdown_pages import PLAYED, ROOT, Page, pages
from page_runner import write_file

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


RIGHT = (
    *(
        ("int | None", f'await self.{verb}("/a/{{id}}", int | None, query={{"n": 1}}, id="7")')
        for verb in ("get", "post", "put", "patch", "delete")
    ),
    ("int", 'await self.get("/a", int, cache=False)'),
    *(
        ("int", f'await self.{verb}("/a/{{query}}/{{id}}", {{"query": 1}}, int, id="7")')
        for verb in ("get", "post", "put", "patch", "delete")
    ),
    ("int", '(await self.request("PUT", "/a/{body}", {"body": "7"})).status'),
    ("list[int]", '[line async for line in self.ndjson("/a/{query}", {"query": 1}, int)]'),
    ("list[str]", '[one.data async for one in self.sse("/a/{headers}", {"headers": 1})]'),
    *(
        ("str", f'await self.{verb}("/a", str, json={{"b": 1}}, purges=("a",))')
        for verb in ("post", "put", "patch")
    ),
    ("None", 'await self.delete("/a/{id}", None, purges=("a",), id="7")'),
    ("int", '(await self.request("PUT", "/a/{id}", body=b"x", id="7")).status'),
    ("list[int]", '[line async for line in self.ndjson("/a/{id}", int, id="7")]'),
    ("list[str]", '[one.data async for one in self.sse("/a", last_event_id="7")]'),
)
"""The type of a method, and the call that it returns."""

WRONG = (
    *(
        ("str", f'await self.{verb}("/a", {model}, {wrong})')
        for verb in ("get", "post", "put", "patch", "delete")
        for model, wrong in (("str", "jsonn={}"), ("int", "id=7"), ("str", "query=7"))
    ),
    ("str", 'await self.get("/a", str, json={})'),
    *(
        ("str", f'await self.{verb}("/a/{{id}}", {wrong})')
        for verb in ("get", "post", "put", "patch", "delete")
        for wrong in ('{"id": 1}, int', '{"id": {}}, str', 'str, {"id": 1}')
    ),
    ("str", 'await self.delete("/a", str, json={})'),
    ("str", 'await self.post("/a", str, files={"f": b"x"})'),
    ("int", '(await self.request("PUT", "/a", json={})).status'),
    ("list[int]", '[line async for line in self.ndjson("/a", str)]'),
    ("list[str]", '[one.data async for one in self.sse("/a", last_event_id=7)]'),
)
"""Such calls with an option that the verb does not have, or with a reply of another type."""


def test_verbs_take_their_own_options_only(tmp_path):
    """A wrong option, or a reply of another type than the method's, is an error of types."""
    methods = [
        f"    async def call_{number}(self) -> {kind}: return {call}\n"
        for number, (kind, call) in enumerate((*RIGHT, *WRONG))
    ]
    file = tmp_path / "shop.py"
    file.write_text("from bff_core import Upstream\nclass Shop(Upstream):\n" + "".join(methods))

    found = complaints(tmp_path, [file])

    lines = {int(line.split(":")[1]) for line in found.splitlines() if ": error:" in line}
    assert lines == set(range(3 + len(RIGHT), 3 + len(RIGHT) + len(WRONG))), found


def test_unknown_case_is_an_error_of_types(tmp_path):
    """A typo in `Views(case=...)` does not pass a type checker."""
    file = tmp_path / "shop.py"
    file.write_text(
        'from bff_core import Views\nright = Views(case="camel")\nwrong = Views(case="kebab")\n'
    )

    found = complaints(tmp_path, [file])

    lines = {int(line.split(":")[1]) for line in found.splitlines() if ": error:" in line}
    assert lines == {3}, found
