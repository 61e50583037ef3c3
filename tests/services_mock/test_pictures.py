"""The shop's pictures: drawn for all that the catalogue has, safe as images, never quite alike."""

import re
from itertools import product
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from services_mock import pictures
from services_mock.data import goods, images, text
from services_mock.data.categories import LEAF_IDS, NODES, ROOT_IDS, line_of
from services_mock.pictures import WIDTHS, picture_of
from services_mock.pictures.symbol_files import FOLDER, SYMBOLS
from services_mock.pictures.tones import TONES, contrast

COLOURS = tuple(text.localized("colors"))
ELEMENTS = {"svg", "g", "path", "rect", "circle", "ellipse", "text"}
ATTRIBUTES = {
    *("viewBox", "width", "height", "x", "y", "cx", "cy", "r", "rx", "ry", "d", "transform"),
    *("fill", "opacity", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin"),
    *("stroke-dasharray", "text-anchor", "font-size", "font-family", "font-weight"),
}
COLOURED = re.compile(r"none|#[0-9A-F]{6}")
VIEWS = range(1, 6)


def drawn(path: str) -> ET.Element:
    """Return the root element of a picture that exists."""
    found = picture_of(path)
    assert found is not None, path
    return ET.fromstring(found.decode("utf-8"))


def assert_harmless(root: ET.Element) -> None:
    """Fail unless a picture has only shapes, painted by attributes."""
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
        assert COLOURED.fullmatch(element.get("fill", "none"))
        assert COLOURED.fullmatch(element.get("stroke", "none"))


@pytest.mark.parametrize("category", LEAF_IDS)
def test_each_category_has_a_symbol_that_is_harmless_and_small_in_all_colours(category):
    """Well-formed, below 4 KB, without script, style, id, reference or unknown colour."""
    for colour, n in product(COLOURS, VIEWS):
        path = f"products/{category}/{colour}/7-{n}/160w.svg"

        assert_harmless(drawn(path))
        assert len(picture_of(path) or b"") < 4096


def test_each_detail_of_a_symbol_is_below_four_kilobytes_as_a_pair():
    """The largest picture shows a symbol twice, with any of its three details."""
    for category, number in product(LEAF_IDS, range(1, 13)):
        assert len(picture_of(f"products/{category}/WHT/{number}-4/2048w.svg") or b"") < 4096


@pytest.mark.parametrize("category", NODES)
def test_each_category_has_a_banner(category):
    """Roots, leaves and what is between; below 6 KB, twice as wide as high."""
    path = f"categories/{category}/640w.svg"
    root = drawn(path)

    assert_harmless(root)
    assert len(picture_of(path) or b"") < 6144
    assert (root.get("viewBox"), root.get("width"), root.get("height")) == (
        "0 0 240 120",
        "640",
        "320",
    )


def test_the_folders_of_symbols_are_the_category_tree():
    """A leaf moved in the catalogue is noticed, and so is a symbol of no category."""
    expected = {Path(*line_of(leaf)).with_suffix(".svg") for leaf in LEAF_IDS}
    expected |= {Path(root).with_suffix(".svg") for root in ROOT_IDS}

    assert {file.relative_to(FOLDER) for file in FOLDER.rglob("*.svg")} == expected


def test_categories_above_the_leaves_show_the_symbol_of_their_root():
    """A product known only by a wider category has a picture."""
    for node in NODES.values():
        if node.leaf is None:
            assert SYMBOLS[node.id].texts == SYMBOLS[line_of(node.id)[0]].texts
            assert_harmless(drawn(f"products/{node.id}/RST/7-1/160w.svg"))


def test_each_product_of_the_catalogue_has_pictures():
    """Category, colour and id of all goods, in the widths that the services name."""
    assert set(TONES) == set(COLOURS)
    assert WIDTHS == images.WIDTHS
    for item in goods.everything():
        for n, colour in enumerate(item.colors, 1):
            path = f"products/{item.category}/{colour}/{item.id}-{n}/160w.svg"
            assert picture_of(path) is not None, path


@pytest.mark.parametrize(
    ("path", "box", "ratio"),
    [
        ("products/mugs/RST/7-1", "0 0 120 150", 1.25),
        ("categories/mugs", "0 0 240 120", 0.5),
        ("reviews/mugs/RST/7-2-1", "0 0 120 90", 0.75),
        ("avatars/RG/1", "0 0 120 120", 1),
    ],
)
def test_a_picture_has_the_size_in_its_path_and_is_the_same_at_each(path, box, ratio):
    """Width and height are attributes, so that a page does not jump."""
    bodies = set()
    for width in (160, 320, 640, 1280, 2048):
        root = drawn(f"{path}/{width}w.svg")
        bodies.add("".join(ET.tostring(child, "unicode") for child in root))

        assert root.get("viewBox") == box
        assert root.get("width") == str(width)
        assert root.get("height") == str(round(width * ratio))
    assert len(bodies) == 1


@pytest.mark.parametrize(
    "path",
    [
        "",
        "products",
        "/products/mugs/RST/7-1/160w.svg",
        "products/mugs/RST/7-1/160w.svg/",
        "products/mugs/RST/7-1/160w.svg\n",
        "products/mugs/RST/7-1/160w.png",
        "products/mugs/RST/7-1/160w-svg",
        "products/mugs/RST/7-1/161w.svg",
        "products/mugs/RST/7-1/0160w.svg",
        "products/mugs/RST/7-1/99999w.svg",
        "products/mugs/RST/7-1/w.svg",
        "products/mugs/RST/7-0/160w.svg",
        "products/mugs/RST/7-100/160w.svg",
        "products/mugs/RST/07-1/160w.svg",
        "products/mugs/RST/0-1/160w.svg",
        "products/mugs/RST/-7-1/160w.svg",
        "products/mugs/RST/1234567890-1/160w.svg",
        "products/mugs/RST/\u0667-1/160w.svg",
        "products/mugs/RST/7/160w.svg",
        "products/mugs/rst/7-1/160w.svg",
        "products/mugs/PNK/7-1/160w.svg",
        "products/mugs/%(a)s/7-1/160w.svg",
        "products/mug/RST/7-1/160w.svg",
        "products/Mugs/RST/7-1/160w.svg",
        "products/../mugs/RST/7-1/160w.svg",
        "products/mugs/RST/../RST/7-1/160w.svg",
        "../../../../etc/passwd",
        "categories/mug/160w.svg",
        "categories/symbols/160w.svg",
        "categories/../mugs/160w.svg",
        "categories/mugs/161w.svg",
        "reviews/mugs/RST/7-2/160w.svg",
        "reviews/mugs/PNK/7-2-1/160w.svg",
        "reviews/mug/RST/7-2-1/160w.svg",
        "avatars/RG/0/160w.svg",
        "avatars//1/160w.svg",
        "avatars/ABCD/1/160w.svg",
        "avatars/R2/1/160w.svg",
        "avatars/<b/1/160w.svg",
        "avatars/R&/1/160w.svg",
        "avatars/R_/1/160w.svg",
        "avatars/RG/1/161w.svg",
    ],
)
def test_an_unknown_path_has_no_picture(path):
    """Bad ids, other widths and attempts to leave the folder end in a 404 of the route."""
    assert picture_of(path) is None


def test_a_picture_is_always_the_same():
    """Browsers may store it for a year; nothing depends on the process or on the cache."""
    path = "products/panniers/GRN/37-1/320w.svg"
    first = picture_of(path)
    picture_of.cache_clear()

    assert picture_of(path) == first
    assert first is not None
    assert b'<g transform="translate(60 75)' in first


def test_the_cache_is_bounded():
    """Paths come from anyone, so that what is stored has an end."""
    picture_of.cache_clear()
    for number in range(1, pictures.CACHE_SIZE + 50):
        picture_of(f"avatars/AB/{number}/160w.svg")

    assert picture_of.cache_info().currsize == pictures.CACHE_SIZE


@pytest.mark.parametrize("category", LEAF_IDS)
def test_products_of_a_category_differ(category):
    """A page of ten in one colour does not look like copies."""
    shown = {picture_of(f"products/{category}/NAV/{n * 17}-1/320w.svg") for n in range(1, 11)}

    assert len(shown) == 10


def test_the_pictures_of_a_product_differ_but_show_the_same_thing():
    """Other angles and backgrounds, the same details and accent: it is one product."""
    shown = [picture_of(f"products/mugs/CRL/5-{n}/320w.svg") or b"" for n in range(1, 8)]
    photo = picture_of("reviews/mugs/CRL/5-2-1/320w.svg") or b""
    symbol = shown[0][shown[0].index(b"translate(-60 -60)") :].partition(b">")[2]

    assert len(set(shown)) == 7
    assert (b"scale(-" in shown[0]) is not (b"scale(-" in shown[1])
    assert symbol.count(b"<path") > 4
    for body in (*shown, photo):
        assert symbol.removesuffix(b"</g></svg>") in body


def test_what_stands_is_not_turned():
    """A lamp or a bicycle stays upright in each picture; a bag may lie at an angle."""
    for category, is_turned in (("floor-lamps", False), ("city-bikes", False), ("duffels", True)):
        assert SYMBOLS[category].upright is not is_turned
        for n in VIEWS:
            body = picture_of(f"products/{category}/RST/9-{n}/160w.svg") or b""
            assert (b") rotate(" in body) is is_turned


def test_photos_of_reviews_differ():
    """Two photos of one product are two photos."""
    paths = [f"reviews/mugs/CRL/5-{row}-{n}/320w.svg" for row in (1, 2) for n in (1, 2)]

    assert len({picture_of(path) for path in paths}) == 4


@pytest.mark.parametrize("colour", COLOURS)
def test_an_object_stands_out_from_its_background(colour):
    """Body and details are visible on the background and on its shape, in each colour."""
    paints = TONES[colour].paints

    assert contrast(paints["a"], paints["bg"]) >= 1.9
    assert contrast(paints["a"], paints["bg2"]) >= 1.7
    assert contrast(paints["c"], paints["bg"]) >= 2.3
    assert contrast(paints["c"], paints["a"]) >= 1.6
    assert contrast(paints["hi"], paints["a"]) >= 1.3
    assert contrast(paints["n"], paints["bg"]) >= 1.6
    assert len(TONES[colour].accents) >= 4
    assert all(contrast(accent, paints["a"]) >= 1.5 for accent in TONES[colour].accents)


def test_the_tones_differ_from_each_other():
    """Colours that a customer chooses between do not look the same."""
    bodies = {paints["a"] for paints in (tone.paints for tone in TONES.values())}

    assert len(bodies) == len(TONES)


@pytest.mark.parametrize("initials", ["RG", "É", "ŁUK", "ÅØ"])
def test_an_avatar_shows_initials_that_are_readable(initials):
    """Letters of any script; the contrast is that of text."""
    root = drawn(f"avatars/{initials}/12/160w.svg")
    letters = root.find("{http://www.w3.org/2000/svg}text")
    ground = root.find("{http://www.w3.org/2000/svg}path")

    assert_harmless(root)
    assert letters is not None
    assert ground is not None
    assert letters.text == initials
    assert contrast(letters.attrib["fill"], ground.attrib["fill"]) >= 4.5


def test_avatars_of_customers_differ_in_tone():
    """Two customers with the same initials mostly have different colours."""
    shown = {picture_of(f"avatars/AB/{number}/160w.svg") for number in range(1, 40)}

    assert len(shown) >= 8


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.svg")), ids=lambda file: file.stem)
def test_a_symbol_has_known_classes_only(file):
    """A class without paint would be black; a symbol that casts a shadow is not turned."""
    root = ET.fromstring(file.read_text("utf-8"))
    classes = {element.get("class") for element in root.iter()} - {None}

    assert classes <= {
        *("a", "b", "c", "hi", "x", "m", "n", "k", "glow", "sh", "upright", "v1", "v2", "v3"),
        *("st", "hs", "as", "bs", "xs", "ms", "ns", "ks"),
    }
    assert root.get("viewBox") == "0 0 120 120"
    assert "sh" not in classes or root.get("class") == "upright"
    for element in list(root.iter())[1:]:
        is_painted = {"class", "fill", "stroke"} & set(element.attrib)
        assert is_painted or element.tag.endswith("}g") or _parent_paints(root, element)


def _parent_paints(root: ET.Element, element: ET.Element) -> bool:
    groups = [group for group in root.iter() if element in group]
    return any(group.get("class") or _parent_paints(root, group) for group in groups)
