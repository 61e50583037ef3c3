"""The pictures that the web gateway draws are those of the catalog."""

from pathlib import Path

import pytest

from bffs.web.pages import pictures
from services_mock import pictures as of_the_catalog

PATHS = (
    "products/mugs/RST/7-1/160w.svg",
    "categories/mugs/640w.svg",
    "reviews/mugs/RST/7-2-1/320w.svg",
    "avatars/RG/1/2048w.svg",
    "products/mugs/RST/7-1/161w.svg",
)


@pytest.mark.parametrize("path", PATHS)
def test_both_draw_the_same(path):
    """The same bytes at the same path, until the gateway proxies them."""
    assert pictures.picture_of(path) == of_the_catalog.picture_of(path)


def test_both_have_the_same_symbols():
    """A symbol that is changed in one place only is noticed."""
    ours, theirs = (Path(one.__file__).parent for one in (pictures, of_the_catalog))
    found = [
        {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.svg")}
        for folder in (ours, theirs)
    ]

    assert found[0] == found[1]
