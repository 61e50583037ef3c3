"""Which route wins where several match, and which pairs of routes are refused at start."""

import re
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core.errors import ConfigurationError
from bff_core.proxy import Condition, Match
from bff_core.proxy.app_versions import VersionRange, app_version_of
from bff_core.proxy.precedence import (
    NamedMatch,
    PathMatch,
    can_hold_together,
    condition_count,
    conflicts,
    per_host,
    rank_of,
)

BEST_FIRST = [
    Match("/{rest:path}", order=-1),
    Match("/a/b", methods=("GET",), hosts=("shop.example",), headers={"X-Beta": "1"}),
    Match("/a/b", methods=("GET",), hosts=("shop.example",)),
    Match("/a/b", hosts=("shop.example",)),
    Match("/a/{n:int}", hosts=("shop.example",)),
    Match("/a/v{n}", hosts=("shop.example",)),
    Match("/a/{n}", hosts=("shop.example",)),
    Match("/a/{rest:path}", hosts=("shop.example",)),
    Match("/{x:int}/b", hosts=("shop.example",)),
    Match("/{x}/b", hosts=("shop.example",)),
    Match("/{x}/{y}", hosts=("shop.example",)),
    Match("/{rest:path}/b/{c}", hosts=("shop.example",)),
    Match("/{rest:path}/b", hosts=("shop.example",)),
    Match("/{rest:path}", hosts=("shop.example",)),
    Match("/a/b", hosts=("*.eu.shop.example",)),
    Match("/a/b", hosts=("*.shop.example",)),
    Match("/a/b", methods=("GET", "PUT"), headers={"X-Beta": "1"}, query={"q": "1"}),
    Match("/a/b", methods=("GET",), cookies={"beta": "1"}),
    Match("/a/b", methods=("GET",)),
    Match("/a/b", client="ios", app_version=">=4"),
    Match("/a/b", client="ios"),
    Match("/a/b"),
    Match("/{rest:path}"),
    Match("/a/b", order=1),
]


def test_the_more_specific_route_wins():
    """Order, host, path, methods and conditions decide, in this order; the list's never does."""
    ranks = [rank_of(one) for one in BEST_FIRST]

    assert sorted(ranks) == ranks
    assert len(set(ranks)) == len(ranks)


@given(st.permutations(BEST_FIRST))
def test_the_order_of_declaration_never_counts(matches: list[Match]):
    """However routes are written down, the same one wins."""
    assert sorted(matches, key=rank_of) == BEST_FIRST


def test_a_host_of_several_has_a_rank_of_its_own():
    """A route for an exact host and a wildcard has the rank of the one that a request has."""
    both = Match("/", hosts=("*.c", "a.example"))
    wide = Match("/", hosts=("*.example",))

    assert [one.hosts for one in per_host(both)] == [("*.c",), ("a.example",)]
    assert [rank_of(one) < rank_of(wide) for one in per_host(both)] == [False, True]
    assert rank_of(both) == rank_of(per_host(both)[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Match("/a/{x}"), Match("/a/{y}")),
        (Match("/a/{x:int}"), Match("/a/{y:uuid}")),
        (Match("/a/{x}.json"), Match("/a/v1.00{y}")),
        (Match("/a/{x}-json"), Match("/a/v{y}json")),
        (Match("/a/{rest:path}"), Match("/a/{other:path}")),
        (Match("/{x:path}/b/{y}"), Match("/{x:path}/b/{z}")),
        (Match("/a", methods=("GET",)), Match("/a", methods=("HEAD",))),
        (Match("/a", methods=("GET", "PUT")), Match("/a", methods=("PUT", "POST"))),
        (Match("/a", hosts=("Shop.example",)), Match("/a", hosts=("shop.example", "b.example"))),
        (Match("/a", hosts=("*.shop.example",)), Match("/a", hosts=("*.SHOP.example",))),
        (Match("/a", headers={"X-A": "1"}), Match("/a", headers={"X-B": "1"})),
        (Match("/a", headers={"X-A": "1"}), Match("/a", headers={"x-a": "1"})),
        (Match("/a", headers={"X-A": "1"}), Match("/a", query={"X-A": "2"})),
        (Match("/a", query={"q": "ab"}), Match("/a", query={"q": Condition(prefix="a")})),
        (
            Match("/a", query={"q": Condition(prefix="abc")}),
            Match("/a", query={"q": Condition(prefix="ab")}),
        ),
        (Match("/a", query={"q": Condition(exists=True)}), Match("/a", query={"q": "1"})),
        (
            Match("/a", query={"q": Condition(absent=True)}),
            Match("/a", query={"q": Condition(absent=True)}),
        ),
        (
            Match("/a", query={"q": Condition(regex="a+")}),
            Match("/a", query={"q": Condition(regex="b+")}),
        ),
        (Match("/a", query={"q": Condition(regex="a+")}), Match("/a", query={"q": "b"})),
        (Match("/a", client="ios"), Match("/a", app_version=">4")),
        (Match("/a", app_version=">=4"), Match("/a", app_version="<=4")),
    ],
)
def test_routes_of_equal_rank_that_may_take_one_request_are_in_conflict(one: Match, other: Match):
    """Nothing would decide between them, so the gateway does not start; regexes may overlap."""
    named = [NamedMatch("one", one), NamedMatch("other", other)]

    found = conflicts(named)

    assert [{left.name, right.name} for left, right in found] == [{"one", "other"}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Match("/a/{x}"), Match("/b/{x}")),
        (Match("/a/{x}"), Match("/a/{x}/b")),
        (Match("/a"), Match("/a/")),
        (Match("/a"), Match("/A")),
        (Match("/a/{x}.json"), Match("/a/{x}.html")),
        (Match("/a/v{x}"), Match("/a/w{x}")),
        (Match("/{x:path}/a"), Match("/{x:path}/b")),
        (Match("/a/{x:path}"), Match("/b/{x:path}")),
        (Match("/a", methods=("GET",)), Match("/a", methods=("PUT",))),
        (Match("/a", hosts=("a.example",)), Match("/a", hosts=("b.example",))),
        (Match("/a", hosts=("*.a.example",)), Match("/a", hosts=("*.b.example",))),
        (Match("/a", headers={"X-A": "1"}), Match("/a", headers={"x-a": "2"})),
        (Match("/a", query={"q": "b"}), Match("/a", query={"q": Condition(prefix="a")})),
        (
            Match("/a", query={"q": Condition(prefix="ab")}),
            Match("/a", query={"q": Condition(prefix="ac")}),
        ),
        (Match("/a", cookies={"q": Condition(absent=True)}), Match("/a", cookies={"q": "1"})),
        (
            Match("/a", cookies={"q": Condition(absent=True)}),
            Match("/a", cookies={"q": Condition(regex=".*")}),
        ),
        (
            Match("/a", cookies={"q": Condition(exists=True)}),
            Match("/a", cookies={"q": Condition(absent=True)}),
        ),
        (Match("/a", client="ios"), Match("/a", client="android")),
        (Match("/a", app_version=">=4"), Match("/a", app_version="<4")),
        (Match("/a", app_version=">=4,<5"), Match("/a", app_version="5.0")),
        (Match("/a"), Match("/a", order=1)),
        (Match("/a"), Match("/a", methods=("GET",))),
        (Match("/a"), Match("/a", headers={"X-A": "1"})),
        (Match("/a"), Match("/a", hosts=("a.example",))),
        (Match("/{x:int}"), Match("/{x}")),
    ],
)
def test_routes_that_rank_or_conditions_tell_apart_are_no_conflict(one: Match, other: Match):
    """A better rank decides, or no request meets both."""
    assert conflicts([NamedMatch("one", one), NamedMatch("other", other)]) == []


def test_python_routes_are_in_conflict_with_proxied_ones_only():
    """FastAPI's order decides between two Python routes; nothing does for a proxied one."""
    python = [
        NamedMatch(f"views.py:{n} get", PathMatch("/a/{x}"), is_proxied=False) for n in (3, 9)
    ]
    proxied = NamedMatch("proxied", Match("/a/{rest}"))

    found = {frozenset((one.name, other.name)) for one, other in conflicts([*python, proxied])}

    assert found == {
        frozenset(("views.py:3 get", "proxied")),
        frozenset(("views.py:9 get", "proxied")),
    }


def test_a_pair_is_named_once():
    """Two routes that share two hosts are one conflict; a route has none with itself."""
    hosts = ("a.example", "b.example")
    named = [NamedMatch(name, Match("/", hosts=hosts)) for name in ("one", "other")]

    assert len(conflicts(named)) == 1
    assert conflicts(named[:1]) == []


def test_many_routes_are_compared_quickly():
    """Ten thousand routes of one shape are no fifty million comparisons."""
    named = [
        NamedMatch(str(n), Match(f"/things/{n}/{{x}}", methods=("GET",))) for n in range(10_000)
    ]

    assert conflicts(named) == []


VALUES = (None, "a", "ab", "b")
VERSIONS = ("", "3", "4", "4.1", "5")
METHODS = ("GET", "HEAD", "PUT")
HOSTS = ("a.t", "b.t", "x.a.t", "x.b.t", "other")
PATHS = ["/" + "/".join(one) for n in (1, 2, 3) for one in product(("a", "b", "7", ""), repeat=n)]
HEADS = list(product(METHODS, HOSTS, VALUES, VERSIONS, ("", "ios", "android")))

texts = st.sampled_from(["a", "ab", "b"])
condition = st.one_of(
    texts,
    st.builds(lambda text: Condition(prefix=text), texts),
    st.just(Condition(exists=True)),
    st.just(Condition(absent=True)),
)
literal = st.sampled_from("ab7")


@st.composite
def matches(draw: st.DrawFn, kinds: list[str], *, has_methods: bool, host: str) -> Match:
    """Draw a match whose path, methods and host are of the same rank as another's."""
    parts = [draw(literal) if one == "literal" else f"{{x{n}{one}}}" for n, one in enumerate(kinds)]
    methods = draw(st.sets(st.sampled_from(METHODS), min_size=1)) if has_methods else ()
    header = draw(st.none() | condition)
    return Match(
        "/" + "/".join(parts),
        methods=tuple(methods),
        hosts=(host.format(draw(st.sampled_from("ab"))),) if host else (),
        headers={} if header is None else {"x": header},
        app_version=draw(st.sampled_from(["", ">=4,<5", "<4", ">4", "4.1"])),
        client=draw(st.sampled_from(["", "ios", "android"])),
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Match, Match]:
    """Draw two matches that differ in rank by their conditions only, if at all."""
    kinds = draw(
        st.lists(st.sampled_from(["literal", "", ":int", ":path"]), min_size=1, max_size=2).filter(
            lambda kinds: kinds != [":path", ":path"]
        )
    )
    has_methods, host = draw(st.booleans()), draw(st.sampled_from(["", "{}.t", "*.{}.t"]))
    one = matches(kinds, has_methods=has_methods, host=host)
    return draw(one), draw(one)


def _path_holds(template: str, path: str) -> bool:
    """Match a path as Starlette does, written anew."""
    pattern = re.sub(r"\{\w+:int\}", "[0-9]+", template)
    pattern = re.sub(r"\{\w+:path\}", ".*", pattern)
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path) is not None


def _value_holds(wanted: object, value: str | None) -> bool:
    if isinstance(wanted, str):
        return value == wanted
    assert isinstance(wanted, Condition)
    if wanted.absent:
        return value is None
    return value is not None and value.startswith(wanted.prefix or "")


def _meets(match: Match, head: tuple[str, str, str | None, str, str]) -> bool:
    method, host, value, version, client = head
    methods = {*match.methods, *(["HEAD"] if "GET" in match.methods else [])}
    number = app_version_of(version)
    return (
        (not methods or method in methods)
        and (
            not match.hosts
            or any(
                host == h or (h[0] == "*" and host.endswith(h[1:]) and host != h[2:])
                for h in match.hosts
            )
        )
        and all(_value_holds(one, value) for one in match.headers.values())
        and (not match.client or match.client == client)
        and (
            not match.app_version
            or (number is not None and VersionRange.parse(match.app_version).holds(number))
        )
    )


@settings(deadline=None)
@given(pairs())
def test_a_conflict_is_a_request_that_meets_both(pair: tuple[Match, Match]):
    """Of equal rank, two matches are in conflict exactly if some request meets both."""
    one, other = pair
    is_path = any(_path_holds(one.path, path) and _path_holds(other.path, path) for path in PATHS)
    is_head = any(_meets(one, head) and _meets(other, head) for head in HEADS)

    found = conflicts([NamedMatch("one", one), NamedMatch("other", other)])

    assert bool(found) == (is_path and is_head and rank_of(one) == rank_of(other))


@given(pairs())
def test_conflicts_are_symmetric(pair: tuple[Match, Match]):
    """Which of two routes is named first changes nothing."""
    one, other = pair

    assert can_hold_together(one, other) == can_hold_together(other, one)
    assert can_hold_together(one, one)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=4.2,<5", ["4.2", "4.2.0", "4.2.0.1", "4.99", "4.2-beta"], ["4.1.9", "5", "5.0"]),
        (">4", ["4.0.1", "10"], ["4", "4.0.0", "3"]),
        ("<=4", ["4", "4.0", "3.9", "0"], ["4.0.1"]),
        ("4.2", ["4.2", "4.2.0", "4.2+build.7"], ["4.2.1", "4"]),
        (" == 4 , >= 3", ["4"], ["3"]),
        (">=1,>=3,<9,<=5", ["3", "5"], ["2", "6"]),
    ],
)
def test_a_range_holds_versions_by_number(text: str, inside: list[str], outside: list[str]):
    """Versions are compared number by number: 10 is above 9, and 4.0 equals 4."""
    versions = VersionRange.parse(text)

    assert [one for one in inside if not versions.holds(app_version_of(one) or ())] == []
    assert [one for one in outside if versions.holds(app_version_of(one) or ())] == []


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", ">=", ">=4,", "~4", "^4", ">=4 <5", "4.x", "v4", ">5,<4", ">4,<4"),
        *(">4,<=4", "1.2.3.4.5", "1" * 65, "٤", ">=4.", ">=.4", "=>4", "4..2"),
    ],
)
def test_a_text_that_is_no_range_is_refused(text: str):
    """A range that holds nothing, or can't be read, is an error at start."""
    with pytest.raises(ConfigurationError):
        VersionRange.parse(text)


@pytest.mark.parametrize("text", ["", "x", "4.x", "-1", "4,2", "1" * 65, "٤", "4.2.", "1.2.3.4.5"])
def test_a_client_that_sends_no_version_has_none(text: str):
    """A header of a client is untrusted: what is no version is treated as absent."""
    assert app_version_of(text) is None


def test_every_condition_counts():
    """A route with more conditions is more specific, whichever they are."""
    full = Match(
        "/", headers={"a": "1"}, query={"a": "1"}, cookies={"a": "1"}, client="ios", app_version="1"
    )

    assert condition_count(full) == 5
    assert all(
        rank_of(first) == rank_of(second)
        for first, second in permutations(
            [
                Match("/", headers={"a": "1"}),
                Match("/", query={"a": "1"}),
                Match("/", client="ios"),
            ],
            2,
        )
    )


def test_python_routes_may_have_any_path_of_fastapi():
    """A route in Python may have a path that a proxied one may not: it still has a rank."""
    odd = PathMatch("/files/{name}.{kind}/{day:date}", methods=("GET",))
    proxied = Match("/files/{rest:path}", methods=("GET",))

    assert rank_of(odd) < rank_of(proxied)
    assert conflicts([NamedMatch("odd", odd, is_proxied=False), NamedMatch("r", proxied)]) == []
