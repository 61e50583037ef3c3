"""Text of a document that tries to break out of the generated code."""

import re

import pytest

from bff_core.codegen.typescript.names import Names, method_name, type_name
from bff_core.codegen.typescript.text import comment, literal, one_line, property_name
from tests.codegen.typescript.compilers import COMPILERS, WITHOUT_PLATFORM, compile_files
from tests.codegen.typescript.documents import client, returning

HOSTILE = (
    'a"b',
    "a'b`${process.exit(1)}`",
    "*/ throw 1; /*",
    "a\nb\r\nc",
    "line\u2028separator\u2029",
    "back\\slash\\",
    "\u202ereversed\u2066",
    "@ts-ignore",
    "@deprecated",
    "// @ts-nocheck",
    "</script><!--",
    "__proto__",
    "constructor",
    "\ud800",
    "",
    " ",
    "class",
    "name: never }; type X = {",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_comments_can_not_be_left(text):
    """A comment ends where ours ends, and has no tags or directives but ours."""
    shown = comment(text, ["Ours."])

    assert shown.startswith("/**")
    assert shown.endswith("*/\n")
    assert shown.count("*/") == 1
    assert not re.search(r"^[\s/*]*@", shown, re.MULTILINE)
    assert shown.isprintable() or set(shown) - {"\n"} <= set(filter(str.isprintable, shown))
    assert "\n" not in one_line(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_literals_are_ascii_in_one_line(text):
    """Nothing but the closing quote ends a literal."""
    shown = literal(text)

    assert shown.isascii()
    assert "\n" not in shown
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', shown)
    assert property_name(text) in {shown, text}


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_identifiers(text):
    """Types and methods have names of letters and digits."""
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", type_name(text))
    assert re.fullmatch(r"[a-z][A-Za-z0-9]*", method_name(text))


def test_names_are_unique():
    """A name that is taken gets the first free alternative, then a number."""
    names = Names({"get"})

    assert [names.take("get", "getHome") for _ in range(3)] == ["getHome", "get2", "get3"]


@pytest.fixture(scope="module")
def hostile() -> str:
    """Return a client of which each text, name, value and path is hostile."""
    properties = {
        text: {"type": "string", "description": text, "default": text} for text in HOSTILE if text
    }
    values = [text for text in HOSTILE if text != "\ud800"]
    parameters = [
        {"name": text, "in": place, "description": text, "schema": {"enum": values}}
        for text in HOSTILE
        if text.strip()
        for place in ("query", "header")
    ]
    paths = {
        f"/{number}/{text.replace('{', '').replace('}', '')}": {
            "get": returning(
                {"$ref": f"#/components/schemas/{number}"},
                operationId=text,
                summary=text,
                description=text,
                parameters=parameters,
            )
        }
        for number, text in enumerate(HOSTILE)
    }
    schemas = {
        str(number): {
            "type": "object",
            "title": text,
            "description": text,
            "properties": properties,
        }
        for number, text in enumerate(HOSTILE)
    }
    return client(paths, name='shop"*/', **schemas)


@pytest.mark.needs("node", "npm")
@pytest.mark.parametrize("version", COMPILERS)
def test_a_hostile_document_compiles(hostile, version, tmp_path):
    """Under all strict options, of both compilers, without the types of a platform."""
    (tmp_path / "client.ts").write_text(hostile, encoding="utf-8")

    assert compile_files(version, tmp_path, *WITHOUT_PLATFORM, "client.ts") == []


def test_a_hostile_document_adds_no_code(hostile):
    """Without comments and literals nothing of its text is left."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\]|\\.)*\"", "", hostile, flags=re.DOTALL)

    assert "process.exit" not in code
    assert "throw 1" not in code
    assert "type X =" not in code
