"""Upstream clients: typed methods become calls that carry what their request knows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import ClassVar, Literal, TypedDict

import pytest

from bff_core import BadStatus, ConfigurationError, InvalidInput, Policy, Scope, Upstream
from bff_core.errors import BadPayload
from bff_core.events import Events
from bff_core.scope import StepTry, running_part
from bff_core.testing.scripted import Scripted, reply
from bff_core.upstream.reading.reply_type_checks import check_reply_types

NDJSON = b'{"id":"1","name":"Ada"}\n\n{"id":"2","name":"Grace"}\n'
EVENTS = b": hello\nevent: price\ndata: 1\ndata: 2\nid: 7\nretry: 1500\n\ndata: cut off"


@dataclass(frozen=True)
class Profile:
    """A user as these tests need one."""

    id: str
    name: str


class Users(Upstream):
    """A service with every kind of method."""

    policy = Policy(timeout=2.0)

    async def profile(self, user_id: str) -> Profile:
        return await self.get("/users/{id}", Profile, id=user_id)

    async def find(self, user_id: str) -> Profile | None:
        return await self.get("/users/{id}", Profile | None, id=user_id)

    async def rename(self, user_id: str, name: str) -> Profile:
        return await self.patch("/users/{id}", Profile, id=user_id, json={"name": name})

    async def remove(self, user_id: str) -> None:
        return await self.delete("/users/{id}", None, id=user_id)

    async def invite(self, name: str, key: str) -> Profile:
        headers = {"Idempotency-Key": key}
        return await self.post("/users", Profile, json={"name": name}, headers=headers)


class PublicUsers(Users):
    """The same, with replies that everybody may share."""

    policy = Policy(public=True)


ADA = reply(200, {"id": "1", "name": "Ada"})


def client(script: Scripted, kind=Users, now=100.0):
    """Return a client whose stack is nothing but a script."""
    stack = SimpleNamespace(policy=kind.policy, handler=script, events=Events(), steering=None)
    return kind(stack, clock=lambda: now)


async def test_method_returns_the_declared_type():
    """A call's reply is typed, and the call names its operation without ids."""
    script = Scripted(ADA)

    assert await client(script).profile("a/1") == Profile("1", "Ada")
    [call] = script.calls
    assert (call.upstream, call.method, call.target) == ("users", "GET", "/users/a%2F1")
    assert call.operation == "GET /users/{id}"
    assert (b"accept", b"application/json") in call.headers


@pytest.mark.parametrize("name", [float("nan"), "a\ud83d"])
async def test_a_body_that_json_cannot_say_is_not_sent(name):
    """A service gets neither null for a number, nor half a request."""
    script = Scripted(ADA)

    with pytest.raises(InvalidInput):
        await client(script).rename("1", name)

    assert script.calls == []


async def test_absent_thing_is_none_where_the_method_says_so():
    """`Profile | None` makes a 404 an answer."""
    assert await client(Scripted(reply(404))).find("9") is None


async def test_absent_thing_is_an_error_elsewhere():
    """A plain `Profile` can't be absent."""
    with pytest.raises(BadStatus):
        await client(Scripted(reply(404))).profile("9")


async def test_writes_carry_typed_bodies():
    """Bodies are JSON and say so."""
    script = Scripted(ADA, reply(204), ADA)
    users = client(script)

    await users.rename("1", "Ada")
    await users.remove("1")
    await users.invite("Ada", "key-1")

    rename, remove, invite = script.calls
    assert (rename.method, rename.body) == ("PATCH", b'{"name":"Ada"}')
    assert (b"content-type", b"application/json") in rename.headers
    assert (remove.method, remove.body) == ("DELETE", b"")
    assert (invite.is_safe, invite.is_idempotent, rename.is_idempotent) == (False, True, False)


async def test_deadline_is_the_earliest_of_policy_request_and_part():
    """A call never lasts longer than what it is made for."""
    script = Scripted(ADA)
    users = client(script)

    await users.profile("1")
    await users.bind(Scope(deadline=101.5)).profile("1")
    token = running_part.set(SimpleNamespace(name="a part", deadline=100.3))
    await users.bind(Scope(deadline=101.5)).profile("1")
    running_part.reset(token)

    assert [call.deadline for call in script.calls] == [102.0, 101.5, 100.3]


async def test_reply_belongs_to_one_viewer_unless_declared_public():
    """The safe default is the shorter one to write."""
    script = Scripted(ADA)
    scope = Scope(deadline=200, audience="0::7", traceparent="00-1-2-01")

    await client(script).bind(scope).profile("1")
    await client(script, PublicUsers).bind(scope).profile("1")

    private, public = script.calls
    assert (private.audience, public.audience) == ("0::7", None)
    assert private.traceparent == "00-1-2-01"


async def test_binding_leaves_the_shared_client_as_it_was():
    """A request's viewer never stays behind."""
    script = Scripted(ADA)
    users = client(script)

    users.bind(Scope(deadline=200, audience="0::7"))
    await users.profile("1")

    assert script.calls[0].audience == "unbound"


async def test_id_that_is_no_segment_is_the_callers_mistake():
    """`..` would leave the path; nothing is sent."""
    script = Scripted(ADA)

    with pytest.raises(InvalidInput):
        await client(script).profile("..")
    assert script.calls == []


async def test_header_that_can_not_be_sent_is_the_callers_mistake():
    """Text outside the header's alphabet is refused, not a crash."""
    script = Scripted(ADA)

    with pytest.raises(InvalidInput):
        await client(script).invite("Ada", "ключ")
    assert script.calls == []


async def test_any_reply_is_returned_as_it_is():
    """`request` judges nothing."""
    users = client(Scripted(reply(418, b"tea")))

    answer = await users.request("OPTIONS", "/users")

    assert (answer.status, answer.body) == (418, b"tea")


async def test_lines_of_json_come_typed():
    """A stream of newline-delimited JSON yields values; empty lines are skipped."""
    users = client(Scripted(reply(200, NDJSON)))

    rows = [row async for row in users.ndjson("/users/export", Profile)]

    assert [row.name for row in rows] == ["Ada", "Grace"]


async def test_line_that_does_not_fit_is_a_bad_payload():
    """Garbage in a stream is the service's fault."""
    users = client(Scripted(reply(200, b'{"id":')))

    with pytest.raises(BadPayload):
        _ = [row async for row in users.ndjson("/users/export", Profile)]


async def test_lines_are_read_as_replies_are():
    """A byte order mark, a declared charset, 1.0 for an int."""
    lines = '{"id":"1","name":"Zoë"}\n'.encode()
    latin = {"content-type": "application/x-ndjson; charset=iso-8859-1"}
    users = client(
        Scripted(
            reply(200, b"\xef\xbb\xbf" + lines),
            reply(200, '{"id":"1","name":"Zoë"}'.encode("latin-1"), headers=latin),
            reply(200, b"1.0\n2\n"),
        )
    )

    marked = [row.name async for row in users.ndjson("/users/export", Profile)]
    declared = [row.name async for row in users.ndjson("/users/export", Profile)]
    numbers = [row async for row in users.ndjson("/numbers", int)]
    assert (marked, declared, numbers) == (["Zoë"], ["Zoë"], [1, 2])


async def test_a_decoder_of_the_class_reads_its_replies():
    """What the service writes in place of a date."""

    class Dated(Users):
        decoders: ClassVar = {datetime: lambda value: datetime.fromtimestamp(value, UTC)}

        async def joined(self) -> datetime:
            return await self.get("/joined", datetime)

    script = Scripted(reply(200, b"1700000000"))

    assert await client(script, Dated).joined() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    with pytest.raises(BadPayload):
        await Dated.joined(client(script))


async def test_stream_without_lines_is_empty():
    """A service that has nothing to tell says so in the type of its stream."""
    users = client(Scripted(reply(200, headers={"content-type": "application/x-ndjson"})))

    assert [row async for row in users.ndjson("/users/export", Profile)] == []


async def test_an_empty_body_of_another_type_is_not_a_stream_of_lines():
    """A broken service's empty body is not taken for a list without entries."""
    users = client(Scripted(reply(200, headers={"content-type": "application/json"})))

    with pytest.raises(BadPayload, match="not a stream of lines"):
        _ = [row async for row in users.ndjson("/users/export", Profile)]


async def test_an_html_page_is_not_an_event_stream():
    """What calls itself HTML is not read as a stream without events."""
    users = client(Scripted(reply(200, b"<html>", headers={"content-type": "text/html"})))

    with pytest.raises(BadPayload, match="not an event stream"):
        _ = [event async for event in users.sse("/prices")]


async def test_refused_stream_is_a_bad_status():
    """A stream that does not begin is no stream."""
    users = client(Scripted(reply(403)))

    with pytest.raises(BadStatus):
        _ = [row async for row in users.ndjson("/users/export", Profile)]


async def test_server_sent_events_come_whole():
    """Data lines are joined, comments skipped, an event that was cut off is dropped."""
    users = client(Scripted(reply(200, EVENTS)))

    [event] = [event async for event in users.sse("/prices")]

    assert (event.event, event.data, event.id, event.retry) == ("price", "1\n2", "7", 1.5)


def test_name_is_the_class_in_snake_case():
    """The variable with the addresses follows from it."""
    assert (Users.name, PublicUsers.name) == ("users", "public_users")


def test_policy_must_be_a_policy():
    """A dictionary of options would not be validated."""
    with pytest.raises(ConfigurationError, match=r"must be a Policy"):
        type("Broken", (Upstream,), {"policy": {"timeout": 1}})


@pytest.mark.parametrize("taken", ["get", "bind", "stream", "name"])
def test_method_with_a_taken_name_is_refused(taken):
    """A method that hides what every upstream has would break the others."""
    with pytest.raises(ConfigurationError, match="rename"):
        type("Broken", (Upstream,), {taken: lambda self: None})


class Charge(TypedDict):
    """A payment of a kind that the service may add to."""

    ref: str
    kind: Literal["card", "cash"]


class Bank(Upstream):
    """A service whose lists may lack what does not fit."""

    policy = Policy(reading="tolerant")

    async def charges(self) -> list[Charge]:
        return await self.get("/charges", list[Charge])


async def test_check_of_a_saga_is_never_tolerant():
    """A payment of a kind that is new must not look as if it had not been made."""
    bank = client(Scripted(reply(200, [{"ref": "7", "kind": "wallet"}])), Bank)

    assert await bank.bind(Scope(200.0)).charges() == []
    assert await bank.bind(Scope(200.0, step=StepTry())).charges() == []
    with pytest.raises(BadPayload, match="an unknown member"):
        await bank.bind(Scope(200.0, step=StepTry(is_check=True))).charges()


async def test_method_in_small_letters_is_the_method():
    """A `post` gets its Idempotency-Key, as a POST does, and a saga that needs one refuses it."""
    script = Scripted(ADA)
    users = client(script)

    await users.bind(Scope(200.0, idempotency_key="k-1")).request("post", "/users")
    assert script.calls[0].method == "POST"
    assert script.calls[0].is_idempotent
    within = users.bind(Scope(200.0, step=StepTry(needs_keys="Join.invite")))
    with pytest.raises(ConfigurationError, match=r"Join\.invite"):
        await within.request("post", "/users")


class Odd(Upstream):
    """A service whose path parameters have the names of options, and other odd names."""

    async def read(self, value: str) -> Profile:
        return await self.get("/a/{query}/{id}", {"query": value}, Profile, id=7)

    async def write(self, value: str) -> Profile:
        return await self.post("/a/{json}", {"json": value}, Profile, json={"b": 1})

    async def replace(self, value: str) -> Profile:
        return await self.put("/a/{user-id}", {"user-id": value}, Profile)

    async def change(self, value: str) -> Profile:
        return await self.patch("/a/{user.id:path}", {"user.id": value}, Profile)

    async def remove(self, value: str) -> Profile:
        return await self.delete("/a/{self}/{class}", {"self": value, "class": 1}, Profile)

    async def any_reply(self, value: str) -> bytes:
        return (await self.request("PUT", "/a/{body}", {"body": value}, body=b"x")).body

    async def rows(self, value: str) -> list[Profile]:
        lines = self.ndjson("/a/{headers}", {"headers": value}, Profile)
        return [line async for line in lines]

    async def events(self, value: str) -> list[str]:
        found = self.sse("/a/{last_event_id}", {"last_event_id": value})
        return [one.data async for one in found]

    async def opened(self, value: str) -> int:
        async with self.stream("/a/{method}", {"method": value}, method="POST") as answer:
            return answer.status


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("read", "/a/b%2Fc/7"),
        ("write", "/a/b%2Fc"),
        ("replace", "/a/b%2Fc"),
        ("change", "/a/b/c"),
        ("remove", "/a/b%2Fc/1"),
        ("any_reply", "/a/b%2Fc"),
        ("rows", "/a/b%2Fc"),
        ("opened", "/a/b%2Fc"),
    ],
)
async def test_path_parameters_may_have_any_name(name, target):
    """A mapping after the path holds those whose names are options, or no names of Python."""
    script = Scripted(ADA)

    await getattr(client(script, Odd), name)("b/c")

    [call] = script.calls
    assert call.target == target


async def test_path_parameter_of_an_event_stream_may_have_any_name():
    """A mapping also holds those of a server-sent event stream."""
    script = Scripted(reply(200, b"data: 1\n\n"))

    assert await client(script, Odd).events("a") == ["1"]
    assert script.calls[0].target == "/a/a"


@pytest.mark.parametrize(
    ("arguments", "options", "problem"),
    [
        (({"id": 1}, Profile), {"id": 2}, "id is given twice, by mapping and by keyword"),
        (({"query": 1}, Profile), {}, "takes id, not query"),
        (({}, Profile), {}, "takes id, not none"),
        (({"id": 1, "b": 2}, Profile), {}, "takes id, not id, b"),
        ((Profile, {"id": 1}), {}, "the second of three arguments holds the values of path"),
        (({"id": 1},), {}, "name the type of the reply after the values"),
    ],
)
@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
async def test_wrong_path_parameters_are_explained(verb, arguments, options, problem):
    """A missing, an unknown and a repeated parameter raise before anything is sent."""
    script = Scripted(ADA)

    with pytest.raises(TypeError) as caught:
        await getattr(client(script), verb)("/users/{id}", *arguments, **options)

    assert problem in str(caught.value)
    assert script.calls == []


def test_reply_type_after_a_mapping_is_checked_at_the_start():
    """The type of such a call is found in the source as well."""

    class Broken(Upstream):
        async def read(self, value: str) -> object:
            return await self.get("/a/{query}", {"query": value}, type)

    with pytest.raises(ConfigurationError, match=r"Broken\.read"):
        check_reply_types(Broken, {})
