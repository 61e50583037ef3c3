"""What is read of a request while an answer is made is noted, whatever way it is read."""

from copy import copy
from dataclasses import asdict, fields, replace

import pytest

from bff_core.auth.viewer import Viewer
from bff_core.call import Call, Reply, Reuse
from bff_core.composition.tracked_scope import watched
from bff_core.lineage import EVERYBODY, TENANT, VIEWER, Lineage
from bff_core.scope import Scope

REUSE = Reuse(60.0, 60.0, 60.0, ("product:7",))


def scope_of(lineage=None, **told):
    headers = ((b"accept-language", b"de"), (b"cookie", b"session=ann"))
    return Scope(10.0, headers=headers, viewer=Viewer("ann"), lineage=lineage, **told)


def call(method="GET", audience=None):
    return Call("catalog", method, "/products/7", "GET /products/{id}", 10.0, audience)


def test_nothing_is_watched_where_nobody_wants_to_know():
    """A request without a lineage costs what it did."""
    scope = scope_of()

    assert watched(scope) is scope


@pytest.mark.parametrize(
    ("name", "sharing"), [("viewer", VIEWER), ("audience", VIEWER), ("tenant", TENANT)]
)
def test_who_asks_narrows_the_answer(name, sharing):
    """What is made of the viewer is the viewer's, what is made of the tenant the tenant's."""
    lineage = Lineage()
    scope = scope_of(lineage, tenant="acme")

    assert getattr(watched(scope), name) == getattr(scope, name)
    assert (lineage.sharing, lineage.reason) == (sharing, "")


@pytest.mark.parametrize("name", [field.name for field in fields(Scope)])
def test_whatever_else_is_read_keeps_the_answer_from_being_shared(name):
    """Each field of a request is in the key of an answer, or makes it nobody else's."""
    lineage = Lineage()

    getattr(watched(scope_of(lineage)), name)

    assert lineage.reason == name or lineage.sharing > EVERYBODY or lineage.has_query
    assert lineage.has_query is (name == "query")


@pytest.mark.parametrize("name", ["authorization", "Cookie", "proxy-authorization"])
def test_credentials_keep_the_answer_from_being_shared(name):
    """An answer that was made of a cookie is given to nobody else, whatever its value."""
    lineage = Lineage()

    watched(scope_of(lineage)).header(name)

    assert lineage.reason == name.lower()


def test_header_is_noted_by_name():
    """An answer in German is for those who ask for German."""
    lineage = Lineage()
    seen = watched(scope_of(lineage))

    assert seen.header("accept-language") == "de"
    assert (lineage.headers, lineage.reason) == (["accept-language"], "")


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
def test_no_way_around(look):
    """Copying, printing and writing are reading, too."""
    lineage = Lineage()

    look(watched(scope_of(lineage)))

    assert lineage.reason


def test_what_is_written_reaches_the_request():
    """A part that says how its request ended is heard."""
    scope = scope_of(Lineage())

    watched(scope).outcome = "unknown"

    assert scope.outcome == "unknown"


def test_answer_is_as_fresh_as_the_first_of_its_replies_to_go():
    """Lifetime is the minimum, age the maximum, tags are those of all."""
    lineage = Lineage()
    lineage.took(call(), Reply(200, age=3.0, reuse=REUSE))
    lineage.took(call(), Reply(200, age=5.0, reuse=Reuse(20.0, 90.0, 90.0, ("price:7",))))

    assert (lineage.fresh_until, lineage.age) == (20.0, 5.0)
    assert list(lineage.tags) == ["product:7", "price:7"]
    assert lineage.verdict(2, 19.9) == ""
    assert lineage.verdict(2, 20.0) == "stale"


@pytest.mark.parametrize(
    ("audience", "sharing"),
    [(None, EVERYBODY), ("tenant:acme", TENANT), ("4:acme:ann", VIEWER), ("anonymous", VIEWER)],
)
def test_answer_is_for_the_narrowest_audience_of_its_calls(audience, sharing):
    """One call per viewer makes the whole answer that viewer's."""
    lineage = Lineage()
    lineage.took(call(audience=audience), Reply(200, reuse=REUSE))
    lineage.took(call(), Reply(200, reuse=REUSE))

    assert lineage.sharing == sharing


@pytest.mark.parametrize(
    ("made", "replies", "reason"),
    [
        (0, [], "no_parts"),
        (1, [Reply(200)], "part"),
        (2, [Reply(200, reuse=REUSE)], "unfinished"),
        (1, [Reply(200, reuse=REUSE)], ""),
    ],
    ids=["nothing", "not kept", "one without a reply", "whole"],
)
def test_answer_is_kept_only_if_every_call_was_answered(made, replies, reason):
    """What failed, was streamed or still runs may be part of the answer."""
    lineage = Lineage(before=3)
    for reply in replies:
        lineage.took(call(), reply)

    assert lineage.verdict(3 + made, 0.0) == reason


def test_answer_of_a_write_is_not_kept():
    """Even if its reply says that it may be."""
    lineage = Lineage()
    lineage.took(call("POST"), Reply(200, reuse=REUSE))

    assert lineage.verdict(1, 0.0) == "write"
