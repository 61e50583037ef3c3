"""The pages on new and changed services show what `bff add service` prints."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bff_core_cli import app
from tests.cli.scaffold.projects import Scaffold, make_scaffold
from tests.docs.markdown_pages import DOCS, Page

SDL = "type Query { product(id: ID!): Product } type Product { id: ID! title: String! }"
PAGES = ("new-service.md", "changed-service.md")
RECORD = os.environ.get("RECORD_PAGES") == "1"


def page(name: str) -> Page:
    """Return a page of docs/how-to."""
    path = DOCS / "how-to" / name
    return Page(path, path.read_text())


def shown(name: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a page, each with the output that the page shows."""
    for block in page(name).blocks:
        if block.language == "text" and block.text.startswith("$ "):
            command, _, output = block.text.partition("\n")
            yield command.removeprefix("$ "), output


def document() -> str:
    """Return the contract on the page of a new service."""
    return next(one.text for one in page(PAGES[0]).blocks if one.language == "yaml")


def changed(text: str) -> str:
    """Return the contract with the lines that the page of a changed service shows."""
    diff = next(one.text for one in page(PAGES[1]).blocks if one.language == "diff")
    old, new = diff.splitlines()
    assert old[1:] in text
    return text.replace(old[1:], new[1:])


def output_of(command: str) -> str:
    """Return what a command prints. One that loads the project has a process of its own."""
    words = command.split()
    if words[1] == "check" or words[2] in {"screen", "view"}:
        bff = Path(sys.executable).with_name("bff")
        done = subprocess.run([bff, *words[1:]], capture_output=True, text=True, check=True)
        return done.stdout
    found = CliRunner().invoke(app, words[1:])
    assert found.exit_code == 0, found.output
    return found.output


@pytest.mark.slow
def test_the_pages_show_the_real_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who types the commands of both pages sees the same. RECORD_PAGES=1 writes them."""
    scaffold: Scaffold = make_scaffold(tmp_path)
    root = scaffold.init(client="mobile")
    monkeypatch.chdir(root)
    contract = Path("ratings.yaml")
    for name in PAGES:
        contract.write_text(document() if name == PAGES[0] else changed(document()))
        for command, output in shown(name):
            printed = output_of(command)
            if RECORD:
                text = page(name).text.replace(
                    f"$ {command}\n{output}```", f"$ {command}\n{printed}```"
                )
                page(name).path.write_text(text)
            else:
                assert printed == output
        if name == PAGES[0]:
            output_of("bff add screen product_rating --part ratings.get_rating")
            output_of("bff add view product_rating --gateway mobile")

    Path("catalog.graphql").write_text(SDL)
    words = ("add", "service", "catalog_graph", "--graphql", "catalog.graphql")
    assert CliRunner().invoke(app, words).exit_code == 0
    modules = [one.text for one in page(PAGES[0]).blocks if "from bff_core.mocks" in one.text]
    assert len(modules) == 2
    for module in modules:
        exec(compile(module, "mocks", "exec"), {})  # the path of each handler is checked

    table = re.search(
        r"\[tool\.bff\.services\.ratings\]\n.*?\n\n", Path("pyproject.toml").read_text(), re.DOTALL
    )
    assert table is not None
    assert table[0].strip() in page(PAGES[0]).text
