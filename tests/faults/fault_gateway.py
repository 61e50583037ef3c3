"""A gateway over the mock services with a route for each fault, and bounds that tests can wait for.

What a fault does depends on the policy it meets, so each row has an upstream of its own; several
of them call the same service.
"""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Body, Depends, Request

from bff_core import (
    ANYONE,
    Balance,
    Breaker,
    Bulkhead,
    Composition,
    Limit,
    Policy,
    Retry,
    Upstream,
    Viewer,
    Views,
    compose,
    critical,
    gateway,
    gather,
    optional,
)
from tests.faults.limits import (
    CALL_TIMEOUT,
    CONCURRENT,
    EJECT_FOR,
    LAST_GOOD_FOR,
    LOOKED_UP_EVERY,
    OPEN_FOR,
    OPEN_FOR_MAX,
    PAIR_ATTEMPT,
    PART_TIMEOUT,
    QUEUE,
    QUOTA,
    WINDOW,
)
from tests.faults.models import Page, Person, Product, Review
from tests.faults.names import read_names_from

OUTAGE = Breaker(window=WINDOW, open_for=OPEN_FOR, open_for_max=OPEN_FOR_MAX)
"""A breaker whose outages can be waited for."""


@dataclass(frozen=True)
class Priced:
    """A product that has a price."""

    product_id: str


class Catalog(Upstream):
    """One service with a short timeout and no breaker: each call meets the fault itself."""

    policy = Policy(timeout=CALL_TIMEOUT, public=True, breaker=None)

    async def product(self, product_id: str) -> Product:
        return await self.get("/products/{id}", Product, id=product_id)


class Reviews(Upstream):
    """A service that pages can do without."""

    policy = Policy(timeout=5.0, public=True, breaker=None)

    async def of(self, product_id: str) -> tuple[Review, ...]:
        query = {"product_id": product_id, "limit": 2}
        return (await self.get("/reviews", Page, query=query)).items


class Users(Upstream):
    """A service that holds something of each viewer's, under the policy that users get."""

    async def person(self, user_id: str) -> Person:
        return await self.get("/users/{id}", Person, id=user_id)

    async def subscribe(self, user_id: str) -> Person:
        wanted = {"newsletter": True}
        return await self.patch("/users/{id}/preferences", Person, id=user_id, json=wanted)


class Pair(Catalog):
    """Two endpoints of the catalog, neither of which is spared, and retries for every call."""

    policy = Policy(
        timeout=2.0,
        attempt_timeout=PAIR_ATTEMPT,
        public=True,
        breaker=None,
        retry=Retry(budget_ratio=1.0),
        balance=Balance(ejection_failures=1000),
    )


class Trio(Catalog):
    """Three endpoints of the catalog, ejected for a short while."""

    policy = Policy(
        timeout=2.0, public=True, coalesce=False, breaker=None, balance=Balance(eject_for=EJECT_FOR)
    )


class Thrifty(Catalog):
    """The catalog with the usual retries, of which no other test spends any."""

    policy = Policy(timeout=2.0, public=True, breaker=None)


class Patient(Catalog):
    """The catalog, for those who can wait: one attempt that takes as long as it likes."""

    policy = Policy(
        timeout=20.0, attempt_timeout=20.0, public=True, breaker=None, retry=None, bulkhead=None
    )


class Named(Catalog):
    """The catalog by its name, which is looked up often and remembered for a short while."""

    policy = Policy(
        timeout=2.0,
        public=True,
        breaker=None,
        retry=None,
        balance=Balance(resolve_every=LOOKED_UP_EVERY, last_good_for=LAST_GOOD_FOR),
    )


class Storm(Upstream):
    """A service that fails for a while; for it the last second is all that is recent."""

    policy = Policy(
        timeout=1.0,
        coalesce=False,
        breaker=OUTAGE,
        retry=Retry(budget_window=WINDOW),
        bulkhead=Bulkhead(concurrent=CONCURRENT, queue=QUEUE),
    )

    async def price(self, product_id: str) -> Priced:
        return await self.get("/prices/{id}", Priced, id=product_id)


class ProductPage(Composition):
    """A product, with its reviews if they are available."""

    catalog: Catalog
    reviews_service: Reviews
    product_id: str

    @critical
    async def product(self) -> Product:
        return await self.catalog.product(self.product_id)

    @optional(fallback=(), timeout=PART_TIMEOUT)
    async def reviews(self) -> Sequence[Review]:
        return await self.reviews_service.of(self.product_id)


class Single(Composition):
    """One thing from each of the other services."""

    pair_service: Pair
    trio_service: Trio
    patient_service: Patient
    thrifty_service: Thrifty
    named_service: Named
    storm_service: Storm
    users: Users
    viewer: Viewer
    product_id: str = "1"

    @critical
    async def pair(self) -> Product:
        return await self.pair_service.product(self.product_id)

    @critical
    async def trio(self) -> Product:
        return await self.trio_service.product(self.product_id)

    @critical
    async def patient(self) -> Product:
        return await self.patient_service.product(self.product_id)

    @critical
    async def thrifty(self) -> Product:
        return await self.thrifty_service.product(self.product_id)

    @critical
    async def named(self) -> Product:
        return await self.named_service.product(self.product_id)

    @critical
    async def storm(self) -> Priced:
        return await self.storm_service.price(self.product_id)

    @critical
    async def me(self) -> Person:
        return await self.users.person(self.viewer.require().subject)

    async def subscribe(self) -> Person:
        return await self.users.subscribe(self.viewer.require().subject)


@dataclass
class Shown:
    """A page with its optional part."""

    title: str
    reviews: Sequence[str]


@dataclass
class Text:
    """One thing that a service said."""

    text: str


@dataclass
class Fan:
    """What three services said of the same screen."""

    texts: Sequence[str]


views = Views(prefix="/v1", access=ANYONE)
OfOne = Annotated[Single, Depends(compose(Single))]


@views.get("/products/{product_id}")
async def get_product(page: Annotated[ProductPage, Depends(compose(ProductPage))]) -> Shown:
    """Show a product with what is said of it."""
    product, reviews = await gather(page.product(), page.reviews())
    return Shown(product.title, [review.title for review in reviews])


@views.get("/pair/{product_id}")
async def get_pair(one: OfOne) -> Text:
    """Ask either of two endpoints."""
    return Text((await one.pair()).title)


@views.get("/trio/{product_id}")
async def get_trio(one: OfOne) -> Text:
    """Ask one of three endpoints."""
    return Text((await one.trio()).title)


@views.get("/patient/{product_id}")
async def get_patient(one: OfOne) -> Text:
    """Wait for the catalog."""
    return Text((await one.patient()).title)


@views.get("/thrifty/{product_id}")
async def get_thrifty(one: OfOne) -> Text:
    """Ask with the usual retries."""
    return Text((await one.thrifty()).title)


@views.get("/named/{product_id}")
async def get_named(one: OfOne) -> Text:
    """Ask a service that is known by its name."""
    return Text((await one.named()).title)


@views.get("/storm/{product_id}")
async def get_storm(one: OfOne) -> Text:
    """Ask a service whose outages are short."""
    return Text((await one.storm()).product_id)


@views.get("/me")
async def get_me(one: OfOne) -> Text:
    """Return the viewer."""
    return Text((await one.me()).email)


@views.get("/fan/{product_id}")
async def get_fan(one: OfOne) -> Fan:
    """Ask three services at once; none of them can be done without."""
    pair, priced, person = await gather(one.pair(), one.storm(), one.me())
    return Fan([pair.title, priced.product_id, person.email])


@views.post("/newsletter")
async def post_newsletter(one: OfOne) -> Text:
    """Change something by a call that must not be sent twice."""
    return Text((await one.subscribe()).email)


@views.post("/echo")
async def echo(text: Annotated[str, Body(embed=True)]) -> Text:
    """Tell how much was sent."""
    return Text(str(len(text)))


@views.get("/limited")
async def get_limited(request: Request) -> Text:
    """Return the caller's address, a few times a minute."""
    return Text(f"{request.url.scheme}://{request.url.hostname} {request.client.host}")


@views.get("/crash")
async def crash(said: str) -> Text:
    """Fail with an error that quotes what its client said, as errors will."""
    raise RuntimeError(f"Authorization: Bearer {said}\r\n\x1b[31m{{'event':'forged'}}")


@views.stream("/endless")
async def stream() -> AsyncIterator[Text]:
    """Tell more than any buffer holds."""
    for _ in range(200_000):
        yield Text("x" * 1000)


if path := os.environ.get("FAULT_GATEWAY_NAMES"):
    read_names_from(Path(path))

app = gateway(
    "faults",
    services=[Catalog, Reviews, Users, Pair, Trio, Patient, Thrifty, Named, Storm],
    faces=[views],
    limits=[Limit(quota=QUOTA, by="address", paths=("/v1/limited",))],
)
