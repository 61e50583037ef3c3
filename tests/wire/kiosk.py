"""A gateway that shows what the shop's gateways do not: `tests.wire.kiosk:app`.

It has limits, uploads, API keys, errors of each kind, an upstream that fails and one that is
scarce. It imports public names of `bff_core` only.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, File, Form, HTTPException, Query, Request, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse

from bff_core import (
    ANYONE,
    BFFError,
    Breaker,
    BulkAnswer,
    Bulkhead,
    Cache,
    ClientCredentials,
    Composition,
    ConfigurationError,
    DeadlineExceeded,
    FirstOf,
    InvalidInput,
    Limit,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Policy,
    Require,
    Settings,
    TooManyRequests,
    TypedReply,
    Upstream,
    Viewer,
    Views,
    bulk,
    bulk_answer,
    compose,
    critical,
    gateway,
    gather,
    optional,
)
from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
from bffs.services.catalog import Catalog, Product
from bffs.services.reviews import Review, Reviews


@dataclass(frozen=True)
class Title:
    """A piece of a product that nothing needs more of."""

    id: str
    title: str


class Fragile(Upstream):
    """A service whose circuit opens at the second failure."""

    policy = Policy(
        retry=None,
        public=True,
        coalesce=False,
        breaker=Breaker(minimum_calls=2, failure_ratio=0.5, open_for=600, open_for_max=600),
    )

    async def title(self, number: str) -> Title:
        """Return a product's title."""
        return await self.get("/products/{id}", Title, id=number)


class Scarce(Upstream):
    """A service that takes one call at a time."""

    policy = Policy(
        retry=None,
        public=True,
        coalesce=False,
        breaker=None,
        bulkhead=Bulkhead(concurrent=1, queue=0),
    )

    async def title(self, number: str) -> Title:
        """Return a product's title."""
        return await self.get("/products/{id}", Title, id=number)


class Locked(Upstream):
    """A service that takes a token, from a provider that does not answer."""

    policy = Policy(
        retry=None,
        breaker=None,
        credentials=ClientCredentials(client_id="kiosk", secret="kiosk", upstream="absent"),
    )

    async def title(self, number: str) -> Title:
        """Return a product's title."""
        return await self.get("/products/{id}", Title, id=number)


class Plain(Upstream):
    """A service without retries and circuit, so that a failure shows at once."""

    policy = Policy(
        retry=None,
        breaker=None,
        public=True,
        coalesce=False,
        timeout=0.5,
        attempt_timeout=0.4,
        cache=Cache(ttl=60, stale=60, error=600),
    )

    async def title(self, number: str) -> Title:
        """Return a product's title."""
        return await self.get("/products/{id}", Title, id=number)

    async def typed_title(self, number: str) -> TypedReply[Title]:
        """Return a product's title with the headers of the reply."""
        return await self.get("/products/{id}", TypedReply[Title], id=number)

    async def search(self, word: str) -> dict[str, Any]:
        """Return a page of products; a wrong cursor is a 422 of the service."""
        return await self.get("/products", dict[str, Any], query={"cursor": word})


class Screen(Composition):
    """One product with two parts that may be missing."""

    catalog: Catalog
    reviews_service: Reviews
    plain: Plain
    number: str

    @critical
    async def product(self) -> Product:
        """Return the product."""
        return await self.catalog.product(self.number, "en")

    @optional(fallback=(), timeout=5.0)
    async def reviews(self) -> Sequence[Review]:
        """Return two reviews."""
        return await self.reviews_service.of(self.number, 2)

    @optional(timeout=0.2)
    async def nap(self) -> int:
        """Sleep beyond any time."""
        await asyncio.sleep(30)
        return 1

    @optional
    async def broken(self) -> int:
        """Divide by zero."""
        return 1 // 0


class Direct(Composition):
    """One title, from whichever service the path names."""

    plain: Plain
    fragile: Fragile
    scarce: Scarce
    locked: Locked
    number: str

    @critical
    async def from_plain(self) -> Title:
        """Return the title by way of Plain."""
        return await self.plain.title(self.number)

    @critical
    async def from_fragile(self) -> Title:
        """Return the title by way of Fragile."""
        return await self.fragile.title(self.number)

    @critical
    async def from_locked(self) -> Title:
        """Return the title by way of Locked."""
        return await self.locked.title(self.number)

    @critical
    async def bug(self) -> Title:
        """Raise as a bug does."""
        raise RuntimeError("a bug of the kiosk")

    @critical
    async def circle(self) -> Title:
        """Await a part that awaits this one."""
        return await self.circle_back()

    @critical
    async def circle_back(self) -> Title:
        """Await the other one."""
        return await self.circle()


class Lines(Composition):
    """Many small writes."""

    plain: Plain
    viewer: Viewer

    @bulk(key=lambda one: one.number, most=5)
    async def write(self, one: "Wanted") -> str:
        """Take all but the number 13."""
        if one.number == "13":
            raise NotFound("There is no 13.")
        return one.number


@dataclass(frozen=True)
class Wanted:
    """One of many."""

    number: str


@dataclass(frozen=True)
class Many:
    """Some."""

    items: Sequence[Wanted]


@dataclass(frozen=True)
class Note:
    """What is sent and sent back."""

    text: str
    count: int = 1
    share: float = 0.5
    tags: Sequence[str] = ()


@dataclass(frozen=True)
class Shown:
    """One product as the kiosk shows it."""

    id: str
    title: str
    reviews: int
    nap: int | None = None


@dataclass(frozen=True)
class Name:
    """The viewer."""

    subject: str


class Me(Composition):
    """The viewer's own screen."""

    viewer: Viewer


views = Views(prefix="/v1", access=ANYONE)
Looked = Annotated[Screen, Depends(compose(Screen))]
Title_ = Annotated[Direct, Depends(compose(Direct))]
Mine = Annotated[Me, Depends(compose(Me))]


@views.get("/things/{number}", public=True)
async def get_thing(screen: Looked) -> Shown:
    """Show a product."""
    product, reviews = await gather(screen.product(), screen.reviews())
    return Shown(product.id, product.title, len(reviews))


@views.get("/meta/{number}", meta=True, public=True)
async def get_meta(screen: Looked) -> Shown:
    """Show a product with the states of its parts."""
    product, reviews = await gather(screen.product(), screen.reviews())
    return Shown(product.id, product.title, len(reviews))


@views.get("/late/{number}", meta=True)
async def get_late(screen: Looked) -> Shown:
    """Show a product without a part whose time is over."""
    product, nap = await gather(screen.product(), screen.nap())
    return Shown(product.id, product.title, 0, nap)


@views.get("/broken/{number}", meta=True)
async def get_broken(screen: Looked) -> Shown:
    """Show a product without a part that has a bug."""
    product, broken = await gather(screen.product(), screen.broken())
    return Shown(product.id, product.title, 0, broken)


@views.get("/plain/{number}", public=True)
async def get_plain(page: Title_) -> Title:
    """Show a title."""
    return await page.from_plain()


@views.get("/fragile/{number}")
async def get_fragile(page: Title_) -> Title:
    """Show a title from a service with a circuit."""
    return await page.from_fragile()


@views.get("/locked/{number}")
async def get_locked(page: Title_) -> Title:
    """Show a title from a service that takes tokens."""
    return await page.from_locked()


@views.get("/scarce/{number}")
async def get_scarce(page: Title_) -> Sequence[Title]:
    """Show two titles at once from a service that takes one call at a time."""
    first = asyncio.ensure_future(page.scarce.title(page.number))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    try:
        return [await page.scarce.title("2"), await first]
    finally:
        first.cancel()


@views.get("/bug/{number}")
async def get_bug(page: Title_) -> Title:
    """Show the failure of a critical part."""
    return await page.bug()


@views.get("/circle/{number}")
async def get_circle(page: Title_) -> Title:
    """Show parts that await each other."""
    return await page.circle()


@views.get("/cursor/{number}")
async def get_cursor(page: Title_) -> dict[str, Any]:
    """Show a 422 of a service."""
    return await page.plain.search(page.number)


@views.get("/me", access=Require())
async def get_me(me: Mine) -> Name:
    """Show the viewer."""
    return Name(me.viewer.subject)


@views.get("/orders", access=Require("orders:read"))
async def get_orders(me: Mine) -> Name:
    """Show the viewer where a scope is required."""
    return Name(me.viewer.subject)


@views.get("/strong", access=Require(acr="gold", max_age=60))
async def get_strong(me: Mine) -> Name:
    """Show the viewer where a stronger proof is required."""
    return Name(me.viewer.subject)


@views.get(
    "/mine/{subject}", access=Require(when=lambda viewer, given: viewer.subject == given["subject"])
)
async def get_mine(subject: str, me: Mine) -> Name:
    """Show the viewer's own."""
    return Name(subject)


@views.get(
    "/hidden/{subject}",
    access=Require(when=lambda viewer, given: viewer.subject == given["subject"], hides=True),
)
async def get_hidden(subject: str, me: Mine) -> Name:
    """Show the viewer's own, and hide all others."""
    return Name(subject)


@views.post("/notes", status=201)
async def post_note(note: Note) -> Note:
    """Send it back."""
    return note


@views.put("/notes/{number}")
async def put_note(number: int, note: Note) -> Note:
    """Send it back."""
    return note


@views.patch("/notes/{number}")
async def patch_note(number: int, note: Note) -> Note:
    """Send it back."""
    return note


@views.delete("/notes/{number}")
async def delete_note(number: int) -> Name:
    """Send the number back."""
    return Name(str(number))


@views.post("/payments", status=201, idempotency="required")
async def post_payment(note: Note) -> Note:
    """Take a payment once."""
    return note


@views.post("/refused", status=201)
async def post_refused(note: Note) -> Note:
    """Refuse in the way that the text names."""
    raise {"not_found": NotFound, "invalid": InvalidInput}[note.text]("Refused by the kiosk.")


@views.post("/bulk", status=207)
async def post_bulk(
    wanted: Many, lines: Annotated[Lines, Depends(compose(Lines))]
) -> BulkAnswer[str]:
    """Write many."""
    return bulk_answer(await lines.write(wanted.items), str)


@views.post("/files")
async def post_file(
    file: Annotated[UploadFile, File()], label: Annotated[str, Form(max_length=10)]
) -> dict[str, Any]:
    """Measure an upload."""
    return {"name": file.filename, "label": label, "bytes": len(await file.read())}


@views.stream("/numbers")
async def stream_numbers(until: Annotated[int, Query(ge=0, le=20)] = 3) -> AsyncIterator[Name]:
    """Stream names; 13 breaks the stream."""
    for number in range(until):
        if number == 13:
            raise RuntimeError("a bug of the stream")
        yield Name(str(number))


@views.stream("/empty")
async def stream_refused() -> AsyncIterator[Name]:
    """Fail before the first value."""
    raise NotFound("There is no stream.")
    yield Name("")


@views.get("/slow")
async def get_slow() -> Name:
    """Take longer than the request may."""
    await asyncio.sleep(30)
    return Name("late")


@views.get("/limited")
async def get_limited() -> Name:
    """Show what a limit lets through."""
    return Name("yes")


@views.get("/keyed-limit")
async def get_keyed_limit() -> Name:
    """Show what a limit by API key lets through."""
    return Name("yes")


@views.get("/parameters")
async def get_parameters(
    number: Annotated[int, Query(ge=1, le=9)], word: Annotated[str, Query(max_length=3)] = "abc"
) -> dict[str, Any]:
    """Send parameters back."""
    return {"number": number, "word": word}


@views.get("/response")
async def get_response() -> JSONResponse:
    """Return a response of one's own."""
    return JSONResponse(
        {"own": True}, headers={"x-own": "yes", "cache-control": "public, max-age=5"}
    )


@views.get("/text")
async def get_text() -> PlainTextResponse:
    """Return text."""
    return PlainTextResponse("text " * 400)


@views.get("/moved")
async def get_moved() -> RedirectResponse:
    """Lead elsewhere."""
    return RedirectResponse("/v1/text", 307)


@views.get("/large")
async def get_large() -> Sequence[Name]:
    """Return enough to compress."""
    return [Name(f"name {number}") for number in range(60)]


ERRORS: dict[str, type[BFFError]] = {
    "not_found": NotFound,
    "not_allowed": NotAllowed,
    "invalid_input": InvalidInput,
    "not_authenticated": NotAuthenticated,
    "configuration_error": ConfigurationError,
    "deadline_exceeded": DeadlineExceeded,
}


@views.get("/errors/{name}")
async def get_error(name: str) -> Name:
    """Raise the error of a name."""
    if name == "bug":
        raise ZeroDivisionError("a bug of the view")
    if name == "too_many":
        raise TooManyRequests("Slowly, please.", retry_after=7)
    raise ERRORS[name](f"Raised as {name}.")


@views.get("/statuses/{status}")
async def get_status(status: int) -> Name:
    """Raise FastAPI's exception with a status."""
    raise HTTPException(status)


def make_authenticator(settings: Settings) -> FirstOf:
    """Return the authenticator: API keys only."""
    del settings
    return FirstOf(ApiKeyAuthenticator())


app = gateway(
    "kiosk",
    services=[Catalog, Reviews, Plain, Fragile, Scarce, Locked],
    limits=[
        Limit(quota=3, per=3600, by="address", paths=("/v1/limited",), name="few"),
        Limit(quota=2, per=3600, by="key", paths=("/v1/keyed-limit",), name="keys"),
        Limit(quota=1_000_000, by="address", exempt=("/v1/limited", "/v1/keyed-limit")),
    ],
    authenticator=make_authenticator,
    faces=[views],
)


@app.get("/plain-fastapi")
async def get_plain_fastapi(request: Request) -> dict[str, str]:
    """Show a route of FastAPI's own."""
    return {"path": request.url.path}
