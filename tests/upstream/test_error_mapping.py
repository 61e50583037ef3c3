"""A service's failures as errors of ours: by its status, and by functions that read its body."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import ClassVar

import pytest

from bff_core import (
    BadStatus,
    ClientError,
    ConfigurationError,
    InvalidInput,
    NotFound,
    Policy,
    Reply,
    TooManyRequests,
    TypedReply,
    Upstream,
    as_problem,
)
from bff_core.call import Call
from bff_core.errors import TransportFailed
from bff_core.http_statuses import CLIENT_ERROR_TITLES
from bff_core.testing.scripted import Scripted, fail_with, reply
from bff_core.upstream.typed_failure import TypedFailure
from tests.upstream.test_client import Profile, client


@dataclass(frozen=True)
class ShopError:
    """The error format of a service that knows no problem details."""

    code: str
    message: str


def as_invalid_input(error: ShopError) -> InvalidInput:
    """Make an error of ours of the service's."""
    return InvalidInput(error.message)


def by_status(error: TypedReply[ShopError]) -> ClientError:
    """Make one of the status and a header, too."""
    return ClientError(
        f"{error.value.message} ({error.headers['X-Trace']})",
        status=error.status,
        code=error.value.code,
    )


def by_bytes(error: Reply) -> NotFound | None:
    """Look at the bytes, and leave the failure as it is where they say nothing."""
    return NotFound(error.body.decode()) if error.body else None


class Shop(Upstream):
    """A service whose statuses pass through, or are translated."""

    passes_through = Upstream.passes_through | {400, 429}
    fails_with = {422: as_invalid_input, 403: by_status, 500: by_bytes}  # noqa: RUF012 # as users write it

    async def item(self, **options) -> Profile:
        return await self.get("/items/1", Profile, **options)

    async def found(self) -> Profile | None:
        return await self.get("/items/1", Profile | None)

    async def act(self, verb) -> None:
        await getattr(self, verb)("/items/1", None)


OUT = {"code": "out_of_stock", "message": "None left."}


async def failure_of(step, kind=Shop, **options):
    """Return the error that a read ends with."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 # whichever it is, the test says
        await client(Scripted(step), kind).item(**options)
    return caught.value


@pytest.mark.parametrize("status", sorted(CLIENT_ERROR_TITLES))
async def test_statuses_that_pass_through_are_the_clients(status):
    """Each status may be declared; it has a title and a code of its own."""

    class Open(Shop):
        passes_through = {status}  # noqa: RUF012 # as users write it
        fails_with = {}  # noqa: RUF012 # as users write it

    error = await failure_of(reply(status, {"secret": "db-7"}, headers={"retry-after": "7"}), Open)

    assert (error.status, error.retry_after) == (status, 7)
    assert error.code == CLIENT_ERROR_TITLES[status].lower().replace(" ", "_")
    assert error.detail == ""


async def test_declared_statuses_are_in_place_of_the_default():
    """What is not named stays ours to answer for."""

    class Narrow(Shop):
        passes_through = {400}  # noqa: RUF012 # as users write it
        fails_with = {}  # noqa: RUF012 # as users write it

    assert (await failure_of(reply(404), Narrow)).status == 502


@pytest.mark.parametrize("declared", [{200}, {500}, {405}, {"404"}, [404], 404, {True}], ids=str)
def test_a_status_that_can_not_pass_through_is_refused_when_the_class_is_built(declared):
    """A success, a failure of the service, or what concerns the hop alone, can't pass through."""
    with pytest.raises(ConfigurationError, match=r"Odd\.passes_through must be a set of 400"):
        type("Odd", (Upstream,), {"passes_through": declared})


async def test_the_function_gets_the_body_of_the_failure():
    """The parameter's type says how the body is read; the service's failure is the cause."""
    error = await failure_of(reply(422, OUT))

    assert (type(error), error.status, error.detail) == (InvalidInput, 422, "None left.")
    assert isinstance(error.__cause__, BadStatus)


async def test_function_may_take_status_and_headers_too():
    """One function may serve several statuses."""
    error = await failure_of(reply(403, OUT, headers={"x-trace": "t-1"}))

    assert (error.status, error.code) == (403, "out_of_stock")
    assert error.detail == "None left. (t-1)"


@pytest.mark.parametrize("function", [by_bytes, lambda reply: NotFound(reply.body.decode())])
async def test_function_may_take_the_reply_as_it_is(function):
    """Annotated with `Reply`, or with nothing."""
    error = await failure_of(reply(418, b"No such thing."), fails_with={418: function})

    assert (error.status, error.detail) == (404, "No such thing.")


async def test_function_may_leave_a_failure_as_it_is():
    """None is what it would have been without."""
    assert (await failure_of(reply(500))).status == 502


async def test_call_translates_before_its_class_does():
    """What one method says of a status is in place of what the class says."""
    error = await failure_of(reply(422, OUT), fails_with={422: by_bytes})

    assert isinstance(error, NotFound)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"code": 7}', b"[" * 100_000, b"\xff"])
async def test_body_that_does_not_fit_leaves_the_failure_as_it_was(body):
    """A proxy's page in place of the service's error is no crash; the log says what did not fit."""
    error = await failure_of(reply(422, body))

    assert (type(error), error.status, error.detail) == (BadStatus, 422, "")
    assert "answered 422; for as_invalid_input, the reply " in str(error)
    assert "(status 422" in str(error)


async def test_byte_order_mark_does_not_hide_an_error():
    """As .NET writes it."""
    error = await failure_of(reply(422, b'\xef\xbb\xbf{"code": "x", "message": "No."}'))

    assert error.detail == "No."


def raising(error):
    """Make a function that raises."""

    def function(_: Reply) -> ClientError:
        raise error

    return function


async def test_error_of_ours_that_is_raised_counts_as_returned():
    """To write `raise` for `return` means the same."""
    error = await failure_of(reply(409), fails_with={409: raising(NotFound("Gone."))})

    assert (error.status, error.detail) == (404, "Gone.")
    assert isinstance(error.__cause__, BadStatus)


async def test_bug_of_a_function_is_a_bug_and_names_the_failure():
    """Neither the service's fault nor the client's; its cause is the failure that it was about."""
    error = await failure_of(reply(409), fails_with={409: raising(KeyError("sku"))})

    assert isinstance(error, KeyError)
    assert isinstance(error.__cause__, BadStatus)


async def test_a_function_that_returns_something_else_is_a_bug():
    """It says which function, and what it should return."""
    error = await failure_of(reply(409), fails_with={409: lambda _: "no"})

    assert "returned str: return an error of bff_core, or None" in str(error)


@pytest.mark.parametrize("wait", ["7", "Sun, 29 Nov 2026 01:00:07 GMT"])
async def test_wait_of_the_service_survives_its_translation(wait):
    """Retry-After goes on in both its forms, unless the error has a wait of its own."""
    headers = {"retry-after": wait, "date": "Sun, 29 Nov 2026 01:00:00 GMT"}
    step = reply(400, headers=headers)
    slow = partial(TooManyRequests, "Slow down.", retry_after=1.0)

    errors = [
        await failure_of(step, fails_with={400: lambda _: InvalidInput("No.")}),
        await failure_of(step, fails_with={400: lambda _: slow()}),
    ]

    assert [one.retry_after for one in errors] == [7, 1]


def unresolved(error: "Nowhere") -> ClientError:  # noqa: F821 # that is the point
    """Name a type that there is not."""
    return ClientError(str(error))


async def later(_: Reply) -> ClientError:
    """Wait, which a translation can't."""
    return ClientError("No.")


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [
        (
            {400: InvalidInput},
            r"Odd\.fails_with: InvalidInput must be a function with .*def ",
        ),
        ({400: "as_invalid_input"}, "must be a function with one parameter"),
        ({400: later}, "not `async def`"),
        ({400: lambda: None}, "must take one argument"),
        ({400: lambda _, __: None}, "must take one argument"),
        ({400: unresolved}, "define the type before"),
        ({200: by_bytes}, "must be the status of a failure"),
        ({"400": by_bytes}, "must be the status of a failure"),
        ([400], "must map statuses to functions"),
    ],
)
def test_wrong_declaration_is_refused_when_the_class_is_built(declared, complaint):
    """Not at the first failure in production."""
    with pytest.raises(ConfigurationError, match=complaint):
        type("Odd", (Upstream,), {"fails_with": declared})


def test_type_that_json_can_not_become_is_refused_when_the_class_is_built():
    """The body of a failure is JSON, or is taken as it is."""

    def of_calls(_: dict[object, int] | dict[str, int]) -> ClientError:
        return ClientError("No.")

    with pytest.raises(ConfigurationError, match="can't be decoded from JSON"):
        type("Odd", (Upstream,), {"fails_with": {400: of_calls}})


@pytest.mark.parametrize("status", [404, 410])
async def test_absent_thing_is_none_where_the_type_allows_it(status):
    """A 410 is no less absent than a 404."""
    assert await client(Scripted(reply(status)), Shop).found() is None


@pytest.mark.parametrize(
    ("verb", "is_done"),
    [("get", True), ("delete", True), ("post", False), ("put", False), ("patch", False)],
)
async def test_a_write_to_an_absent_resource_is_an_error(verb, is_done):
    """What is deleted twice is gone; what could not be changed is an error of the caller."""
    shop = client(Scripted(reply(404)), Shop)

    if is_done:
        await shop.act(verb)
    else:
        with pytest.raises(BadStatus) as caught:
            await shop.act(verb)
        assert caught.value.status == 404


PROBLEM = {"content-type": "application/problem+json"}


def problem(body, status=409):
    """Return what is passed on of a problem."""
    return as_problem(Reply(status, (), body))


def test_a_problem_is_passed_on_with_its_members():
    """Status, title, detail, code and faults; nothing else, such as its type or instance."""
    body = (
        b'{"type": "https://orders.internal/p", "title": "Sold out", "detail": "None left.",'
        b' "status": 500, "code": "sold_out", "errors": [{"pointer": "/sku"}], "instance": "db-7"}'
    )
    error = problem(body)

    assert (error.status, error.title, error.detail) == (409, "Sold out", "None left.")
    assert (error.code, error.members) == ("sold_out", {"errors": ({"pointer": "/sku"},)})


@pytest.mark.parametrize(
    ("body", "detail", "code", "errors"),
    [
        (b'{"title": null, "detail": "already shipped"}', "already shipped", "conflict", ()),
        (b'\xef\xbb\xbf{"title": "Sold out"}', "Sold out", "conflict", ()),
        (b'{"detail": 7, "code": "a b\\n", "errors": 7}', "", "conflict", ()),
        (b'{"errors": ["no", 7, {"x": 1}]}', "", "conflict", ({"detail": "no"}, {"x": 1})),
        (
            b'{"errors": {"Sku": ["is long", "is odd"], "Size": "is none"}}',
            "",
            "conflict",
            (
                {"field": "Sku", "detail": "is long"},
                {"field": "Sku", "detail": "is odd"},
                {"field": "Size", "detail": "is none"},
            ),
        ),
    ],
)
def test_problems_are_read_as_services_write_them(body, detail, code, errors):
    """What is null, of another type, or a mapping by field, does not hide the rest."""
    error = problem(body)

    assert (error.detail, error.code, error.errors) == (detail, code, errors)


def test_problem_of_very_many_faults_is_cut():
    """A service can't make our answers as large as it likes."""
    assert len(problem(b'{"errors": [%b{}]}' % (b"{}," * 200)).errors) == 50


@pytest.mark.parametrize("status", [302, 500, 503])
def test_a_problem_with_a_5xx_is_not_passed_on(status):
    """The body of a 5xx is not for clients."""
    assert problem(b'{"detail": "db-7 is down"}', status) is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b"[" * 100_000])
def test_other_bodies_are_not_translated(body):
    """The failure is mapped by its status."""
    assert problem(body) is None


@pytest.mark.parametrize("method", ["ndjson", "sse"])
async def test_stream_that_is_refused_is_translated_too(method):
    """Its status and its body count as those of any other reply."""

    class Feed(Shop):
        async def read(self):
            arguments = [Profile] if method == "ndjson" else []
            return [one async for one in getattr(self, method)("/feed", *arguments)]

    feeds = [client(Scripted(step), Feed) for step in (reply(422, OUT), reply(400))]
    errors = []
    for feed in feeds:
        with pytest.raises(Exception) as caught:  # noqa: PT011 # whichever it is
            await feed.read()
        errors.append(caught.value)

    assert [(type(one), one.status) for one in errors] == [(InvalidInput, 422), (BadStatus, 400)]


async def test_long_refusal_of_a_stream_is_not_read_to_its_end():
    """A refusal larger than 64 KiB is judged by its status alone."""

    class Feed(Shop):
        async def read(self):
            return [one async for one in self.ndjson("/feed", Profile)]

    with pytest.raises(BadStatus, match="ShopError is expected"):
        await client(Scripted(reply(422, OUT | {"more": "x" * 70_000})), Feed).read()


async def test_failures_without_a_reply_are_not_translated():
    """A connection that breaks has no status."""

    def broken(call: Call) -> TransportFailed:
        return TransportFailed("cut", call=call, is_sent=True)

    assert isinstance(await failure_of(fail_with(broken)), TransportFailed)


class Paged(Upstream):
    """A service whose headers matter."""

    async def page(self) -> TypedReply[list[Profile]]:
        return await self.get("/users", TypedReply[list[Profile]])

    async def maybe(self) -> TypedReply[Profile | None]:
        return await self.get("/users/1", TypedReply[Profile | None])

    async def wrong(self) -> None:
        await self.get("/users/1", TypedReply[Profile] | None)


async def test_typed_reply_has_value_status_and_headers():
    """Names in any case; lines of one name are one list."""
    lines = ((b"link", b"</1>; rel=first"), (b"link", b"</2>; rel=next"), (b"x-total-count", b"7"))

    async def step(_: Call) -> Reply:
        return Reply(206, lines, b'[{"id": "1", "name": "Ada"}]')

    page = await client(Scripted(step), Paged).page()

    assert (page.value, page.status) == ([Profile("1", "Ada")], 206)
    assert page.headers["X-Total-Count"] == "7"
    assert page.headers["link"] == "</1>; rel=first, </2>; rel=next"
    assert page.headers.get("etag") is None
    assert dict(page.headers).keys() == {"link", "x-total-count"}


async def test_typed_reply_of_an_absent_thing_says_so():
    """Its value is None, its status the service's."""
    absent = await client(Scripted(reply(404)), Paged).maybe()

    assert (absent.value, absent.status) == (None, 404)


async def test_typed_reply_within_another_type_is_refused():
    """The message shows how to write it."""
    with pytest.raises(ConfigurationError, match=r"as in TypedReply\[Order \| None\]"):
        await client(Scripted(reply(404)), Paged).wrong()


class Kind(Enum):
    """The members that the tests know."""

    SOLD = "sold"
    OTHER = "other"


@dataclass(frozen=True)
class DatedError:
    """An error with what services write in their own ways."""

    message: str
    kind: Kind = Kind.OTHER
    at: datetime | None = None


def as_dated(error: TypedReply[DatedError]) -> ClientError:
    """Make one of ours of it."""
    when = error.value.at.year if error.value.at else 0
    return ClientError(f"{error.value.message} {when}", status=error.status)


class Dated(Upstream):
    """A service that is read tolerantly, and has its own dates."""

    policy = Policy(reading="tolerant")
    decoders = {datetime: lambda value: datetime.fromtimestamp(float(value), UTC)}  # noqa: RUF012 # as users write it
    fails_with = {422: as_dated}  # noqa: RUF012 # as users write it

    async def item(self) -> Profile:
        return await self.get("/items/1", Profile)


async def test_errors_are_read_as_replies_are():
    """An unknown member is left out and the upstream's decoders are called, in errors as well."""
    said = {"message": "Gone in", "kind": "stolen", "at": 1700000000}

    error = await failure_of(reply(422, said), Dated)

    assert (error.status, error.detail) == (422, "Gone in 2023")


@pytest.mark.parametrize(
    ("charset", "codec"), [("utf-16", "utf-16"), ("iso-8859-1", "latin-1"), ("utf-8", "utf-8-sig")]
)
async def test_problems_are_read_by_their_charset(charset, codec):
    """What a service writes in UTF-16 or Latin-1 reaches the client with its code."""
    body = '{"detail": "Für Müller", "code": "no_stock"}'.encode(codec)
    kind = f"application/problem+json; charset={charset}"

    error = await failure_of(
        reply(422, body, headers={"content-type": kind}), fails_with={422: as_problem}
    )

    assert (error.detail, error.code) == ("Für Müller", "no_stock")


NO_STOCK = ClientError("There is none left.", status=409)


@pytest.mark.parametrize("is_raised", [False, True])
async def test_constant_error_is_each_calls_own(is_raised):
    """The wait that a service names to one client is not what the next one gets."""

    def constant(reply: Reply) -> ClientError:
        if is_raised:
            raise NO_STOCK
        return NO_STOCK

    first, second = [
        await failure_of(reply(418, headers=headers), fails_with={418: constant})
        for headers in ({"retry-after": "7"}, {})
    ]

    assert (first.retry_after, second.retry_after) == (7, None)
    assert (second.status, second.detail, second.code) == (409, "There is none left.", "conflict")
    assert first.__cause__ is not second.__cause__


@dataclass(frozen=True)
class StockProblem:
    """What a service says of a failure."""

    available: int


class OutOfStock(TypedFailure[StockProblem]):
    """The failure of a service, with its body."""


class Stock(Upstream):
    """A service whose failure is raised with its body."""

    fails_with: ClassVar = {409: OutOfStock}

    async def reserve(self) -> None:
        await self.post("/reservations", None)


async def test_a_typed_failure_is_the_plain_one_with_its_body():
    """Code may decide by the body; clients get what they get for any 409."""
    script = Scripted(reply(409, {"available": 2}), reply(409, b"<html>"))
    stock = client(script, Stock)

    with pytest.raises(OutOfStock) as caught:
        await stock.reserve()
    with pytest.raises(BadStatus) as plain:
        await stock.reserve()

    assert caught.value.body == StockProblem(2)
    assert (caught.value.status, caught.value.code) == (409, "conflict")
    assert type(plain.value) is BadStatus
