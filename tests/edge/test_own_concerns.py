"""Users' own concerns: `gateway(edge=[...])`."""

import asyncio

import pytest
from starlette.responses import JSONResponse

from bff_core import ANYONE, ClientError, ConfigurationError, RequestContext, Views, gateway
from bff_core.auth.demo import DemoAuthenticator
from bff_core.events import AnyEvent, ConfigurationWarned, Crashed, Events
from bff_core.settings.model import Settings
from bff_core.testing import running


class Note:
    """A concern that records its calls, and returns or raises what the test gives it."""

    def __init__(self, answer=None):
        self.answer = answer
        self.notes = []

    def check(self, context: RequestContext):
        """Note the request."""
        self.notes.append(f"check {context.scope.method} {context.scope.path}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def finish(self, context: RequestContext, response):
        """Note how it ended."""
        own = None if response is None else response.status_code
        self.notes.append(f"finish {context.status or None} {own}")


class Later(Note):
    """The same with async methods."""

    async def check(self, context: RequestContext):
        """Note the request, a moment later."""
        await asyncio.sleep(0)
        return super().check(context)

    async def finish(self, context: RequestContext, response):
        """Note how it ended, a moment later."""
        await asyncio.sleep(0)
        super().finish(context, response)


@pytest.mark.parametrize("kind", [Note, Later])
async def test_a_request_goes_on_and_is_finished(edged, answering, kind):
    """None lets the request pass; `finish` gets no response if the application answered."""
    note = kind()

    answer = await edged(answering(), own=[note]).get("/orders")

    assert answer.status_code == 200
    assert note.notes == ["check GET /orders", "finish 200 None"]


@pytest.mark.parametrize("kind", [Note, Later])
async def test_a_concern_answers_in_place_of_the_application(edged, answering, kind):
    """Its answer gets the usual headers; later concerns and the application are not called."""
    reached, later = [], Note()
    first = kind(JSONResponse({"title": "closed"}, 503))

    answer = await edged(answering(scopes=reached), own=[first, later]).get("/")

    assert (answer.status_code, answer.json()) == (503, {"title": "closed"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (reached, later.notes) == ([], [])
    assert first.notes[-1] == "finish 503 503"


async def test_an_error_of_a_concern_is_a_problem(edged, answering):
    """`finish` runs before the problem details are sent, and gets them."""
    note = Note(ClientError("not like this"))

    answer = await edged(answering(), own=[note]).get("/")

    assert (answer.status_code, answer.json()["detail"]) == (400, "not like this")
    assert note.notes[-1] == "finish None 400"


async def test_what_was_checked_is_finished_last_one_first(edged):
    """Also if the application crashes, or if another concern fails to finish."""
    order = []

    class Own:
        def __init__(self, name, failure=None):
            self.name, self.failure = name, failure

        def check(self, context):
            context.state[self] = self.name.upper()

        def finish(self, context, response):
            order.append((context.state[self], response.status_code))
            if self.failure is not None:
                raise self.failure

    async def app(scope, receive, send):
        raise ValueError("crash")

    gateway = edged(app, own=[Own("a"), Own("b", ClientError("late")), Own("c")])
    answer = await gateway.get("/")

    assert order == [("C", 500), ("B", 500), ("A", 400)]
    assert answer.json()["detail"] == "late"
    assert [str(one.error) for one in gateway.of(Crashed)] == ["crash"]


@pytest.mark.virtual_time
async def test_a_request_that_is_cancelled_is_finished(edged):
    """Also if the client disconnects, so that a concern can release what it holds."""
    note = Note()

    async def app(scope, receive, send):
        await asyncio.sleep(3600)

    gateway = edged(app, own=[note], timeout=7200)
    leaving = asyncio.create_task(gateway.speak())
    await asyncio.sleep(1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert note.notes == ["check GET /", "finish None None"]


@pytest.mark.virtual_time
async def test_a_deadline_ends_a_concern(edged, answering):
    """A concern that hangs is a 504, like a route that hangs."""

    class Hanging:
        async def check(self, context):
            await asyncio.sleep(3600)

    gateway = edged(answering(), own=[Hanging()], timeout=1)

    assert (await gateway.get("/")).status_code == 504


@pytest.mark.virtual_time
async def test_a_client_gets_its_error_although_a_concern_does_not_finish(edged):
    """A `finish` that hangs is cancelled: it holds up neither the answer nor a place in flight."""

    class Hanging(Note):
        async def finish(self, context, response):
            await asyncio.sleep(3600)

    async def app(scope, receive, send):
        raise ClientError("not like this")

    gateway = edged(app, own=[Hanging()], timeout=1)
    answer = await asyncio.wait_for(gateway.get("/"), 10)

    assert answer.status_code == 500
    assert [type(one.error) for one in gateway.of(Crashed)] == [TimeoutError]


@pytest.mark.parametrize(("kinds", "checked"), [(None, True), ({"http"}, False)])
async def test_a_concern_says_whether_it_checks_web_sockets(edged, kinds, checked):
    """By default it does, so that web sockets do not bypass a check."""
    note = Note()
    if kinds is not None:
        note.kinds = kinds

    async def app(scope, receive, send):
        await send({"type": "websocket.close", "code": 1000})

    gateway = edged(app, own=[note])
    await gateway.speak(type="websocket")

    assert bool(note.notes) is checked


async def test_a_concern_closes_a_web_socket(edged, answering):
    """Its response refuses the handshake; servers that can't send it close the socket."""
    extended, plain = (edged(answering(), own=[Note(JSONResponse({}, 403))]) for _ in range(2))

    await extended.speak(type="websocket", extensions={"websocket.http.response": {}})
    await plain.speak(type="websocket")

    assert extended.sent[0]["status"] == 403
    assert plain.sent == [{"type": "websocket.close", "code": 1008}]


async def test_a_concern_knows_viewer_and_route():
    """It runs after authentication, and its `context.route` is the name in logs and metrics."""
    known = []

    class Known:
        def check(self, context):
            known.append((context.scope.viewer.subject, context.route))

    app = shop(edge=[Known()], authenticator=DemoAuthenticator(env="development"))
    async with running(app) as caller:
        await caller.get("/items/7", headers={"authorization": "Bearer demo-7"})
        await caller.get("/nowhere")

    assert known == [("7", "/items/{number}"), ("", "")]


def shop(heard: list[AnyEvent] | None = None, **options):
    """Make a gateway with one compiled view."""
    views = Views(access=ANYONE)

    @views.get("/items/{number}")
    async def item(number: int) -> int:
        return number

    events = Events() if heard is None else Events(heard.append)
    settings = Settings(env="development", log="off")
    return gateway("shop", faces=[views], settings=settings, events=events, **options)


def with_kinds(kinds) -> Note:
    """Return a concern that applies to these kinds of connections."""
    note = Note()
    note.kinds = kinds
    return note


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        ([Note], r"edge=\[Note\]: make one, as in edge=\[Note\(\)\]"),
        ([lambda app: app], r"give concerns: objects with a method check"),
        (Note(), r"edge=.*: give a list, as in edge=\[Maintenance\(\)\]"),
        ([with_kinds("http")], r"kinds = 'http': give {\"http\"}, {\"websocket\"} or leave it out"),
        ([with_kinds({"https"})], "kinds = {'https'}: give"),
        ([with_kinds(())], r"kinds = \(\): give"),
        ([with_kinds(None)], "kinds = None: give"),
    ],
)
def test_what_is_no_concern_is_refused_at_start(given, instead):
    """With what to write instead."""
    with pytest.raises(ConfigurationError, match=instead):
        shop(edge=given)


class Middleware:
    """A middleware that does nothing."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


async def test_middleware_warns_once_that_it_leaves_the_fast_path():
    """At start, by name; requests are answered as before, and a concern causes no warning."""
    heard: list[AnyEvent] = []
    app = shop(heard)
    app.add_middleware(Middleware)
    async with running(app) as caller:
        answers = [(await caller.get(f"/items/{number}")).json() for number in (1, 2)]
    quiet: list[AnyEvent] = []
    async with running(shop(quiet, edge=[Note()])) as caller:
        await caller.get("/items/1")

    warned = [one for one in heard if isinstance(one, ConfigurationWarned)]
    assert answers == [1, 2]
    assert [one.variable for one in warned] == ["add_middleware"]
    assert "leave the fast path because of Middleware" in warned[0].reason
    assert not [one for one in quiet if isinstance(one, ConfigurationWarned)]
