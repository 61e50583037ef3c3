"""The catalog: languages, search, the category tree, what a product holds."""

import pytest

from services_mock.data import images
from services_mock.locales import negotiate


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("en;q=0.3, de-AT;q=0.7", "de"),
        ("ja, pl;q=0.9", "en"),
        ("fr;q=0, de;q=0.1", "de"),
        ("fr;q=broken, de", "de"),
        ("", "en"),
        ("*", "en"),
    ],
)
def test_the_best_language_is_chosen(accepted, language):
    """`Accept-Language` counts, with qualities and regions."""
    assert negotiate(accepted) == language


async def test_a_product_speaks_three_languages(shop):
    """Texts differ by language; ids, SKUs and pictures do not."""
    catalog = shop("catalog")
    products = {}
    for language in ("en", "de", "fr"):
        answer = await catalog.get("/products/42", headers={"accept-language": language})
        assert answer.headers["content-language"] == language
        assert answer.headers["vary"] == "Accept-Language"
        products[language] = answer.json()

    for field in ("title", "subtitle", "description", "care", "attributes", "path", "highlights"):
        assert len({str(products[language][field]) for language in products}) == 3, field
    for field in ("id", "slug", "variants", "related", "shipping", "default_sku"):
        assert products["en"][field] == products["de"][field] == products["fr"][field], field


async def test_the_query_outranks_the_header(shop):
    """A link can fix the language."""
    answer = await shop("catalog").get(
        "/products/42", params={"locale": "fr"}, headers={"accept-language": "de"}
    )

    assert answer.headers["content-language"] == "fr"


async def test_search_reads_the_language_of_the_answer(shop):
    """German words find products in German, and all words have to fit."""
    catalog = shop("catalog")
    german = (await catalog.get("/products", params={"q": "zelt", "locale": "de"})).json()
    english = (await catalog.get("/products", params={"q": "zelt", "locale": "en"})).json()
    two = (await catalog.get("/products", params={"q": "ZELT nordhalm", "locale": "de"})).json()

    assert german["total"] > two["total"] > 0
    assert english["total"] == 0
    assert {item["brand"]["id"] for item in two["items"]} == {"nordhalm"}


async def test_a_category_holds_what_is_below_it(shop):
    """The counts of the tree are the totals of the lists."""
    catalog = shop("catalog")
    roots = (await catalog.get("/categories")).json()["items"]
    outdoor = next(root for root in roots if root["id"] == "outdoor")
    camping = outdoor["children"][0]
    totals = {
        one: (await catalog.get("/products", params={"category": one})).json()["total"]
        for one in ("outdoor", "camping", "tents")
    }

    assert [outdoor["level"], camping["level"], camping["children"][0]["level"]] == [1, 2, 3]
    assert totals["outdoor"] == outdoor["product_count"]
    assert totals["camping"] == camping["product_count"]
    assert totals["outdoor"] == sum(child["product_count"] for child in outdoor["children"])
    assert totals["outdoor"] > totals["camping"] > totals["tents"] > 0
    assert sum(root["product_count"] for root in roots) == 2400


async def test_a_category_knows_its_way_from_the_root(shop):
    """Breadcrumbs need no second call."""
    tents = (await shop("catalog").get("/categories/tents", params={"locale": "de"})).json()
    batch = (await shop("catalog").get("/categories", params={"ids": "camping,x"})).json()
    children = (await shop("catalog").get("/categories", params={"parent": "outdoor"})).json()

    assert [step["id"] for step in tents["path"]] == ["outdoor", "camping", "tents"]
    assert tents["name"] == "Zelte"
    assert [child["children"] for child in batch["items"][0]["children"]] == [[], [], []]
    assert batch["missing"] == ["x"]
    assert [child["parent_id"] for child in children["items"]] == ["outdoor"] * 3


@pytest.mark.parametrize("params", [{"category": "nowhere"}, {"brand": "unknown"}, {"q": "xyzzy"}])
async def test_filters_that_match_nothing_give_an_empty_page(shop, params):
    """An empty list is an answer, no error."""
    page = (await shop("catalog").get("/products", params=params)).json()

    assert page == {"items": [], "next_cursor": None, "total": 0, "missing": []}


async def test_a_summary_is_a_part_of_the_product(shop):
    """One model decodes both: a list and the product have the same members."""
    catalog = shop("catalog")
    summary = (await catalog.get("/products", params={"ids": "42"})).json()["items"][0]
    full = (await catalog.get("/products", params={"ids": "42", "view": "full"})).json()
    product = (await catalog.get("/products/42")).json()

    assert summary.items() <= product.items()
    assert full["items"] == [product]
    assert len(product) > len(summary)


async def test_products_are_whole(shop):
    """Variants, pictures and related products hang together, for every product of a page."""
    params = {"ids": ",".join(map(str, range(300, 360))), "view": "full"}
    products = (await shop("catalog").get("/products", params=params)).json()["items"]

    for product in products:
        skus = [variant["sku"] for variant in product["variants"]]
        assert product["default_sku"] == skus[0]
        assert len(set(skus)) == len(skus) == product["variant_count"]
        assert {sku.partition("-")[0] for sku in skus} == {product["id"]}
        assert len(set(product["related"]) - {product["id"]}) == 12
        for variant in product["variants"]:
            image = product["images"][variant["image_index"]]
            assert f"/{variant['options']['color']}/" in image["sources"][0]["url"]
        assert all(is_gtin(variant["gtin"]) for variant in product["variants"])
        widths = [[source["width"] for source in image["sources"]] for image in product["images"]]
        assert widths == [[160, 320, 640, 1280, 2048]] * len(product["images"])
        offered = {choice["id"] for option in product["options"] for choice in option["values"]}
        assert {
            one for variant in product["variants"] for one in variant["options"].values()
        } == offered


def is_gtin(digits: str) -> bool:
    """Check the last digit of a GTIN-13."""
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return len(digits) == 13 and weighted % 10 == 0


async def test_pictures_are_drawn_at_the_paths_that_answers_name(shop):
    """A gateway that proxies them needs to know nothing about what they show."""
    product = (await shop("catalog").get("/products/42")).json()
    category = (await shop("catalog").get("/categories/mugs")).json()
    for image in (*product["images"], category["image"]):
        path = image["sources"][0]["url"].removeprefix(images.BASE)
        answer = await shop("catalog").get(f"/pictures{path}")

        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.content.startswith(b"<svg ")
        head = await shop("catalog").head(f"/pictures{path}")
        assert head.headers["content-length"] == answer.headers["content-length"]


async def test_a_known_picture_is_not_drawn_again(shop):
    """By its tag, as with all answers."""
    path = "/pictures/products/mugs/RST/7-1/160w.svg"
    tag = (await shop("catalog").get(path)).headers["etag"]

    assert (await shop("catalog").get(path, headers={"if-none-match": tag})).status_code == 304


async def test_other_paths_have_no_picture(shop):
    """The service answers as to any unknown resource."""
    for path in ("/pictures/", "/pictures/products/mugs/RST/7-1/161w.svg", "/pictures/..%2F..%2Fx"):
        assert (await shop("catalog").get(path)).status_code == 404
