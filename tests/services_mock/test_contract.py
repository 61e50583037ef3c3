"""What every service promises in services_mock/README.md, held by each of them."""

import re
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import validate

from services_mock.shop import SERVICES, ports
from services_mock.shop import create_app as create
from services_mock.warm import warm

README = Path(__file__).parents[2] / "services_mock" / "README.md"
ROUTE = re.compile(r"\| `(GET|POST|PUT|PATCH|DELETE) (/[^`?]*)(\?[^`]*)?`")

ONE = {
    "users": "/users/1",
    "catalog": "/products/42",
    "pricing": "/prices/42",
    "inventory": "/stock/42",
    "orders": "/orders/10001",
    "cart": "/carts/1",
    "payments": "/payments/pay-10001",
    "reviews": "/summaries/42",
    "recommendations": "/related/42",
}
"""A record of each service with the common conventions; the identity service follows OAuth's."""

MANNERED = tuple(ONE)

MANY = {
    "users": ("/users", "id"),
    "catalog": ("/products", "id"),
    "pricing": ("/prices", "product_id"),
    "inventory": ("/stock", "product_id"),
    "orders": ("/orders", "id"),
    "cart": ("/carts", "customer_id"),
    "payments": ("/payment-methods", "id"),
    "reviews": ("/summaries", "product_id"),
    "recommendations": ("/related", "product_id"),
}
"""A list of each service that reads batches, and the field that the ids are found in."""

IDS = {"orders": ("10007", "10003", "10005"), "payments": ("pm-3-1", "pm-1-2", "pm-2-1")}


def sections() -> dict[str, str]:
    """Return the contract's section on each service."""
    parts = re.split(r"^## (\w+)$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Check that an answer is problem details, and return them."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= problem.keys()
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_describes_itself_in_valid_openapi(name):
    """A client generator can be pointed at any of them."""
    document = create(name).openapi()

    validate(document)
    assert document["info"]["title"] == name


@pytest.mark.parametrize("name", SERVICES)
def test_the_readme_lists_exactly_the_routes_that_are_there(name):
    """Who writes a client reads the truth."""
    documented = {(method, path) for method, path, _ in ROUTE.findall(sections()[name])}
    paths = create(name).openapi()["paths"]
    there = {(method.upper(), path) for path, item in paths.items() for method in item}

    assert {(method, re.sub(r"{\w+}", "{}", path)) for method, path in documented} == {
        (method, re.sub(r"{\w+}", "{}", path)) for method, path in there
    }


def test_the_ports_count_up_as_the_readme_says():
    """The table of ports is the order of services."""
    documented = dict(
        re.findall(r"^\| (\w+) \| (\d{4}) \|", README.read_text(), flags=re.MULTILINE)
    )

    assert {name: str(port) for name, port in ports().items()} == documented


@pytest.mark.parametrize("name", SERVICES)
async def test_each_service_says_that_it_is_well(name, shop):
    """A supervisor can wait for it."""
    answer = await shop(name).get("/healthz")

    assert answer.json() == {"status": "ok", "service": name}


@pytest.mark.parametrize("name", MANNERED)
async def test_a_known_entity_tag_is_answered_304_without_a_body(name, shop):
    """A client that has the answer does not get it twice."""
    first = await shop(name).get(ONE[name])
    tags = f'"other", W/{first.headers["etag"]}'
    second = await shop(name).get(ONE[name], headers={"if-none-match": tags})
    third = await shop(name).get(ONE[name], headers={"if-none-match": '"other"'})

    assert first.status_code == 200
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["cache-control"] == first.headers["cache-control"]
    assert third.content == first.content


async def test_answers_that_were_spared_are_counted(shop):
    """A client that caches can measure the saving."""
    catalog = shop("catalog")
    tag = (await catalog.get("/products/1")).headers["etag"]
    await catalog.get("/products/1", headers={"if-none-match": tag})
    await catalog.get("/products/none")

    counted = (await catalog.get("/__calls__")).json()

    assert counted["statuses"] == {"200": 1, "304": 1, "404": 1}


@pytest.mark.parametrize(
    ("name", "path", "tag"),
    [
        ("catalog", "/products/7", "product:7"),
        ("catalog", "/products?ids=7,8", "product:7 product:8"),
        ("catalog", "/products?ids=7,new", "product:7 product:new"),
        ("pricing", "/prices?ids=7,8", "price:7 price:8"),
        ("pricing", "/prices/7", "price:7"),
    ],
)
async def test_an_answer_says_what_it_is_about(name, path, tag, shop):
    """A missing record has the tag of the list, which changes when it is created."""
    answer = await shop(name).get(path)

    assert answer.headers["surrogate-key"] == tag


@pytest.mark.parametrize(("name", "path"), [("catalog", "/products"), ("pricing", "/deals")])
async def test_a_page_says_what_is_on_it(name, path, shop):
    """Each of its things, by the id of its product."""
    answer = await shop(name).get(path)

    ids = [item.get("product_id", item["id"]) for item in answer.json()["items"]]
    assert [key.partition(":")[2] for key in answer.headers["surrogate-key"].split()] == ids


@pytest.mark.parametrize("ids", ["7, x y", "7,%0d%0aset-cookie:a", "7,é"])
async def test_input_never_becomes_a_header(ids, shop):
    """Names are letters and digits."""
    answer = await shop("catalog").get(f"/products?ids={ids}")

    assert answer.headers["surrogate-key"] == "product:7"


@pytest.mark.parametrize("name", MANNERED)
async def test_each_service_says_how_long_its_answers_keep(name, shop):
    """`Cache-Control` is what the contract's table says."""
    answer = await shop(name).get(ONE[name])
    table = re.findall(r"^\| ([\w, ]+) \| `(p[^`]+)`", README.read_text(), flags=re.MULTILINE)
    documented = {one: value for names, value in table for one in names.split(", ")}

    assert answer.headers["cache-control"] == documented[name]


@pytest.mark.parametrize("name", MANNERED)
async def test_a_batch_has_the_requested_order_and_names_what_is_missing(name, shop):
    """A screen joins many records with one call, and gaps are no error."""
    path, field = MANY[name]
    known = IDS.get(name, ("7", "3", "5"))
    requested = [known[0], "unknown", *known[1:], known[0]]

    page = (await shop(name).get(path, params={"ids": ",".join(requested)})).json()

    assert [item[field] for item in page["items"]] == list(known)
    assert page["missing"] == ["unknown"]
    assert (page["next_cursor"], page["total"]) == (None, 3)


@pytest.mark.parametrize("name", MANNERED)
async def test_a_batch_of_more_than_a_hundred_is_refused(name, shop):
    """No single request can ask for everything; a hundred are fine."""
    path, _ = MANY[name]
    ids = [str(number) for number in range(1, 102)]

    full = await shop(name).get(path, params={"ids": ",".join(ids[:100])})
    over = await shop(name).get(path, params={"ids": ",".join(ids)})
    none = await shop(name).get(path, params={"ids": " , "})

    assert full.status_code == 200
    assert_problem(over, 422, "invalid_request")
    assert_problem(none, 422, "invalid_request")


@pytest.mark.parametrize("name", MANNERED)
@pytest.mark.parametrize("identity", ["unknown", "0", "042", "999999999999", "-1", "٣"])
async def test_what_is_not_there_is_a_404_problem(name, identity, shop):
    """An id that leads nowhere says so, whatever it looks like."""
    path = ONE[name].rpartition("/")[0]
    answer = await shop(name).get(f"{path}/{identity}")

    assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize("name", MANNERED)
async def test_errors_of_the_framework_are_problems_too(name, shop):
    """Paths and methods that don't exist answer in the same shape."""
    nowhere = await shop(name).get("/nowhere")
    wrong = await shop(name).request("TRACE", ONE[name])

    assert_problem(nowhere, 404, "not_found")
    assert_problem(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"]


@pytest.mark.parametrize("name", MANNERED)
async def test_calls_are_counted_by_route_until_they_are_reset(name, shop):
    """A test can tell what a screen costs; control routes cost nothing."""
    service = shop(name)
    for target in (ONE[name], ONE[name], "/nowhere", "/healthz", "/openapi.json"):
        await service.get(target)
    counted = (await service.get("/__calls__")).json()
    await service.delete("/__calls__")
    after = (await service.get("/__calls__")).json()

    assert counted["service"] == name
    assert (counted["total"], counted["active"], counted["aborted"]) == (3, 0, 0)
    assert counted["routes"].pop("GET unmatched") == 1
    [(route, count)] = counted["routes"].items()
    assert route.startswith("GET /")
    assert route.endswith("}")
    assert count == 2
    assert (after["total"], after["routes"]) == (0, {})


@pytest.mark.parametrize("name", MANNERED)
async def test_a_service_that_warmed_up_looks_untouched(name):
    """Its first requests succeed, and no counter includes them."""
    app = create(name)
    statuses = await warm(app, name)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://warm")

    assert statuses
    assert set(statuses) == {200}
    assert (await client.get("/__calls__")).json()["total"] == 0
