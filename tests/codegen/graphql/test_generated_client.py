"""A generated client of a service that Strawberry serves, through all layers; and its types."""

import subprocess
import sys

import pytest

from bff_core import GraphQLFailed
from bff_core.codegen.graphql import GraphQLOptions, generate
from bff_core.contracts.graphql import normalized
from bff_core.events import ReplyReduced
from bff_core.testing.asgi import asgi
from tests.codegen.graphql.generated import ROOT, imported, written
from tests.codegen.graphql.shop import DOCUMENTS, SCHEMA
from tests.upstream.graphql_service import SERVICE, Client

OPERATIONS = """
query Product($id: ID!, $currency: String = "EUR") {
  product(id: $id) { title price(currency: $currency) }
}
mutation Rename($id: ID!, $title: String!) { rename(id: $id, title: $title) { title } }
"""

USE = '''"""How a user calls the client."""

from collections.abc import Mapping
from decimal import Decimal

from bff_core import Policy

from .models import ProductCard, ProductFilter, SearchSearchProduct, Status
from .operations import ShopOperations


class Shop(ShopOperations):
    """The user's class."""

    policy = Policy(keyed=False)


async def use(shop: Shop) -> Mapping[str, ProductCard]:
    """Call each kind of method."""
    price: Decimal | None = None
    card = (await shop.card(id="7")).product
    if card is not None and card.status is Status.AVAILABLE:
        price = card.price
    for hit in (await shop.search(text=str(price))).search:
        if isinstance(hit, SearchSearchProduct):
            price = hit.price
    async for node in shop.each_catalog(filter=ProductFilter(text="a"), limit=3):
        await shop.rename(id=node.id, title=node.title.upper(), status=None)
    return await shop.load_products_by_ids(["7"])
'''

WRONG = '''"""Mistakes that a type checker finds."""

from .operations import ShopOperations


async def wrong(shop: ShopOperations) -> None:
    """Make one mistake a line."""
    await shop.card()
    await shop.card(id=7)
    (await shop.card(id="7")).product.title
    (await shop.search(text="a")).search[0].title
'''


@pytest.mark.virtual_time
async def test_a_generated_client_calls_a_real_service():
    """Documents, variables, defaults, field errors and failures work against Strawberry."""
    sdl = normalized(SERVICE.schema.as_str())
    made = generate(sdl, {"operations/a.graphql": OPERATIONS}, GraphQLOptions("Catalog"))

    with imported(made) as (operations, models):
        client = Client(asgi(SERVICE), kind=operations.CatalogOperations)
        service = client.bound()
        found = (await service.product(id="7", currency="USD")).product
        partial = (await service.product(id="13")).product
        renamed = (await service.rename(id="7", title="New")).rename
        with pytest.raises(GraphQLFailed) as failure:
            await service.product(id="FORBIDDEN")

    assert found == models.ProductProduct(title="Product 7", price=110)
    assert partial == models.ProductProduct(title="Product 13", price=None)
    assert renamed == models.RenameRename(title="New")
    assert failure.value.codes == ("FORBIDDEN",)
    assert len(client.bench.events_of(ReplyReduced)) == 1


@pytest.mark.slow
def test_the_code_is_typed_strictly(tmp_path):
    """A type checker accepts the code and its use, and finds what is wrong."""
    made = generate(SCHEMA, DOCUMENTS, GraphQLOptions("Shop", {"Money": "decimal.Decimal"}))
    written(tmp_path / "shop", made, {"use.py": USE, "wrong.py": WRONG})
    command = (
        *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent"),
        *(f"--cache-dir={ROOT / '.mypy_cache' / 'examples'}", "-p", "shop"),
    )

    done = subprocess.run(
        command, cwd=tmp_path, env={"MYPYPATH": f"{ROOT}", "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    lines = [line.split(": error:")[0] for line in done.stdout.splitlines() if ": error:" in line]
    assert set(lines) == {f"shop/wrong.py:{number}" for number in (8, 9, 10, 11)}, done.stdout
