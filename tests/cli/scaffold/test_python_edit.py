"""Edits of Python files: an import and a face are added, all else stays."""

import pytest

from bff_core.cli.scaffold.python_edit import add_face, add_import, import_block
from bff_core.cli.scaffold.text_files import NoPlace

MANY = ", ".join(f"part_{number}.views" for number in range(6))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("gateway('m', faces=[])", "gateway('m', faces=[a.views])"),
        ("gateway('m', faces=[h.views])  # é", "gateway('m', faces=[h.views, a.views])  # é"),
        ("x = 'é', gateway('m', faces=[h])", "x = 'é', gateway('m', faces=[h, a.views])"),
        ("bff_core.gateway('m', faces=[G(s)])", "bff_core.gateway('m', faces=[G(s), a.views])"),
        (
            "gateway(\n    'm',\n    faces=[\n        h.views,\n    ],\n)\n",
            "gateway(\n    'm',\n    faces=[\n        h.views,\n        a.views,\n    ],\n)\n",
        ),
        ("gateway('m', faces=[a.views])", "gateway('m', faces=[a.views])"),
    ],
)
def test_a_face_is_added_in_the_form_of_the_list(before: str, after: str) -> None:
    """A list in one line stays in one line, one in several lines gets a further line."""
    assert add_face(before, "a.views") == after


def test_a_list_that_gets_too_long_is_broken() -> None:
    """No line is longer than formatters allow."""
    edited = add_face(f"app = gateway(\n    'm',\n    faces=[{MANY}],\n)\n", "another.views")

    assert max(map(len, edited.splitlines())) <= 100
    assert "\n        part_0.views,\n" in edited
    assert edited.endswith("        another.views,\n    ],\n)\n")


@pytest.mark.parametrize(
    "source", ["app = make()", "gateway('m')", "gateway('m', faces=FACES)", "def broken(:"]
)
def test_other_code_is_not_guessed_at(source: str) -> None:
    """Without a list of faces nothing is edited."""
    with pytest.raises(NoPlace):
        add_face(source, "a.views")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from bffs.m import home\n", "from bffs.m import cart, home\n"),
        ("from bffs.m import cart\n", "from bffs.m import cart\n"),
        (
            "from bff_core import gateway\n",
            "from bff_core import gateway\nfrom bffs.m import cart\n",
        ),
        (
            "import os\n\nfrom bffs.n import x\n",
            "import os\n\nfrom bffs.m import cart\nfrom bffs.n import x\n",
        ),
        (
            "from bffs.m import (\n    home,\n    zoo,\n)\nX = 1\n",
            "from bffs.m import cart, home, zoo\nX = 1\n",
        ),
        ("from bffs.m import A, B, x as y\n", "from bffs.m import A, B, cart, x as y\n"),
    ],
)
def test_an_import_is_added_in_its_order(before: str, after: str) -> None:
    """Linters find nothing to sort."""
    assert add_import(before, "bffs.m", "cart") == after


def test_blocks_of_imports_are_sorted_as_isort_does() -> None:
    """The standard library, other packages, ours; constants before classes before functions."""
    block = import_block(
        {
            ("bff_core", "gather"),
            ("bff_core", "ANYONE"),
            ("bff_core", "Views"),
            ("bffs.a", "x"),
            ("collections.abc", "Sequence"),
        },
        "pytest",
    )

    assert block.split("\n\n") == [
        "from collections.abc import Sequence",
        "import pytest",
        "from bff_core import ANYONE, Views, gather\nfrom bffs.a import x",
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "from bffs.web import home\n",
            "from bffs.web import gateway as g\nfrom bffs.web import home\n",
        ),
        (
            "from bffs.web import a, z\n",
            "from bffs.web import a, z\nfrom bffs.web import gateway as g\n",
        ),
    ],
)
def test_an_import_with_an_alias_stands_alone(source: str, expected: str) -> None:
    """The order is that of isort; a further run changes nothing."""
    edited = add_import(source, "bffs.web", "gateway", "g")

    assert edited == expected
    assert add_import(edited, "bffs.web", "gateway", "g") == expected
