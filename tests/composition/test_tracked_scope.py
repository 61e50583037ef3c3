"""Reads of the request are recorded while an answer is composed, however it is read."""

from copy import copy
from dataclasses import asdict, fields, replace

import pytest

from bff_core.answer_cacheability import PER_TENANT, PER_VIEWER, PUBLIC, AnswerCacheability
from bff_core.auth.viewer import Viewer
from bff_core.call import Call, Reply, Reuse
from bff_core.composition.tracked_scope import tracked
from bff_core.scope import Scope

REUSE = Reuse(60.0, 60.0, 60.0, ("product:7",))


def scope_of(dependencies=None, **fields):
    headers = ((b"accept-language", b"de"), (b"cookie", b"session=ann"))
    return Scope(10.0, headers=headers, viewer=Viewer("ann"), dependencies=dependencies, **fields)


def call(method="GET", audience=None):
    return Call("catalog", method, "/products/7", "GET /products/{id}", 10.0, audience)


def test_scope_without_dependencies_is_not_tracked():
    """Requests whose answers can't be cached pay nothing for the record."""
    scope = scope_of()

    assert tracked(scope) is scope


@pytest.mark.parametrize(
    ("name", "sharing"), [("viewer", PER_VIEWER), ("audience", PER_VIEWER), ("tenant", PER_TENANT)]
)
def test_reading_the_viewer_or_tenant_forbids_sharing(name, sharing):
    """The answer is then per viewer, or per tenant."""
    dependencies = AnswerCacheability()
    scope = scope_of(dependencies, tenant="acme")

    assert getattr(tracked(scope), name) == getattr(scope, name)
    assert (dependencies.sharing, dependencies.reason) == (sharing, "")


@pytest.mark.parametrize("name", [field.name for field in fields(Scope)])
def test_every_field_is_in_the_key_or_forbids_sharing(name):
    """Each field that is read becomes part of the key, or forbids sharing the answer."""
    dependencies = AnswerCacheability()

    getattr(tracked(scope_of(dependencies)), name)

    assert dependencies.reason == name or dependencies.sharing > PUBLIC or dependencies.has_query
    assert dependencies.has_query is (name == "query")


@pytest.mark.parametrize("name", ["authorization", "Cookie", "proxy-authorization"])
def test_credentials_make_an_answer_uncacheable(name):
    """An answer that depends on a cookie is not cached, whatever the value."""
    dependencies = AnswerCacheability()

    tracked(scope_of(dependencies)).header(name)

    assert dependencies.reason == name.lower()


def test_header_is_recorded_by_name():
    """An answer in German is served to requests for German only."""
    dependencies = AnswerCacheability()
    scope = tracked(scope_of(dependencies))

    assert scope.header("accept-language") == "de"
    assert (dependencies.headers, dependencies.reason) == (["accept-language"], "")


@pytest.mark.parametrize(
    "look",
    [
        repr,
        copy,
        asdict,
        lambda scope: replace(scope, path="/elsewhere"),
        lambda scope: scope.vary.append("accept-language"),
        lambda scope: setattr(scope, "outcome", "final"),
    ],
    ids=["repr", "copy", "asdict", "replace", "append", "set"],
)
def test_copies_and_writes_are_recorded(look):
    """Copying, printing and writing count as reads."""
    dependencies = AnswerCacheability()

    look(tracked(scope_of(dependencies)))

    assert dependencies.reason


def test_writes_reach_the_request():
    """A part can set the outcome of its request."""
    scope = scope_of(AnswerCacheability())

    tracked(scope).outcome = "unknown"

    assert scope.outcome == "unknown"


def test_answer_is_fresh_until_its_first_reply_is_stale():
    """Its lifetime is the shortest, its age the highest; it has the tags of all replies."""
    dependencies = AnswerCacheability()
    dependencies.add_reply(call(), Reply(200, age=3.0, reuse=REUSE))
    dependencies.add_reply(call(), Reply(200, age=5.0, reuse=Reuse(20.0, 90.0, 90.0, ("price:7",))))

    assert (dependencies.fresh_until, dependencies.age) == (20.0, 5.0)
    assert list(dependencies.tags) == ["product:7", "price:7"]
    assert dependencies.uncacheable_reason(2, 19.9) == ""
    assert dependencies.uncacheable_reason(2, 20.0) == "stale"


@pytest.mark.parametrize(
    ("audience", "sharing"),
    [
        (None, PUBLIC),
        ("tenant:acme", PER_TENANT),
        ("4:acme:ann", PER_VIEWER),
        ("anonymous", PER_VIEWER),
    ],
)
def test_answer_is_for_the_narrowest_audience_of_its_calls(audience, sharing):
    """One call per viewer makes the whole answer per viewer."""
    dependencies = AnswerCacheability()
    dependencies.add_reply(call(audience=audience), Reply(200, reuse=REUSE))
    dependencies.add_reply(call(), Reply(200, reuse=REUSE))

    assert dependencies.sharing == sharing


@pytest.mark.parametrize(
    ("made", "replies", "reason"),
    [
        (0, [], "no_parts"),
        (1, [Reply(200)], "part"),
        (2, [Reply(200, reuse=REUSE)], "unfinished"),
        (1, [Reply(200, reuse=REUSE)], ""),
    ],
    ids=["nothing", "uncacheable", "one without a reply", "whole"],
)
def test_answer_is_cacheable_only_if_every_call_was_answered(made, replies, reason):
    """The answer may depend on a call that failed, was streamed or is still running."""
    dependencies = AnswerCacheability(calls_before=3)
    for reply in replies:
        dependencies.add_reply(call(), reply)

    assert dependencies.uncacheable_reason(3 + made, 0.0) == reason


def test_answer_of_a_write_is_uncacheable():
    """Also if the reply is cacheable."""
    dependencies = AnswerCacheability()
    dependencies.add_reply(call("POST"), Reply(200, reuse=REUSE))

    assert dependencies.uncacheable_reason(1, 0.0) == "write"
