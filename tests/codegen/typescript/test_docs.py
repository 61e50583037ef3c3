"""The TypeScript of the documentation compiles against the client of the reference project."""

from pathlib import Path

import pytest

from bff_core.cli.client import document_of, options_of
from bff_core.cli.gateways import load_gateway
from bff_core.codegen.typescript import generate
from tests.codegen.typescript.compilers import IN_NODE, compile_files
from tests.docs.markdown_pages import DOCS, page
from tests.reference_project import gateways_imported_anew

ROOT = DOCS.parent
GIVEN = """
declare const session: { token: string };
declare function show(screen: Partial<MobileHome>, note: string): void;
declare function showNotice(text: string): void;
declare function showError(text: string, requestId: string | undefined): void;
declare function signIn(): void;
import type { MobileHome } from "./mobile.js";
"""
"""What an app has of its own."""


@pytest.mark.needs("node", "npm")
def test_the_examples_of_the_page_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the page, as one module, under all strict options."""
    monkeypatch.chdir(ROOT)
    with gateways_imported_anew():
        loaded = load_gateway("mobile")
        (text,) = generate(document_of(loaded), options_of("bff client ts", loaded)).values()
    blocks = page(DOCS / "how-to/client-code.md").blocks
    examples = [one.text for one in blocks if one.language == "typescript"]
    (tmp_path / "mobile.ts").write_text(text, encoding="utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "page.ts").write_text("\n".join([GIVEN, *examples]), encoding="utf-8")

    assert len(examples) == 4
    assert compile_files("7", tmp_path, *IN_NODE, "page.ts") == []
