"""Canaries: a share of the requests goes to another upstream, the same for the same viewer."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core import ConfigurationError, Scope, Upstream
from bff_core.auth.viewer import Viewer
from bff_core.events import Events, SplitChosen
from bff_core.http_exchange.request_context import SCOPE
from bff_core.proxy import Split
from bff_core.proxy.splitting import Splitter

PERCENT = st.floats(0, 100, allow_nan=False)


class Next(Upstream):
    """The upstream of a canary."""


def request(viewer=None, *, client=("192.0.2.1", 4711), headers=(), **fields):
    """Return the ASGI scope of a request, as the edge hands it to a face."""
    scope = Scope(deadline=1.0, viewer=Viewer(viewer, **fields) if viewer else None)
    return {"type": "http", SCOPE: scope, "client": client, "headers": list(headers)}


def sides(splitter, requests):
    """Return which side each request goes to."""
    return [splitter.choose(one) for one in requests]


VIEWERS = [request(f"user-{number}") for number in range(8000)]


def viewers(count=2000):
    """Return a request of each of many viewers."""
    return VIEWERS[:count]


def split(percent, by="viewer", to=Next):
    return Split(to=to, percent=percent, by=by)


def chi_square(found, percents):
    """Return how far counts are from the shares that they should have (Pearson's statistic)."""
    total = sum(found.values())
    wanted = {side: total * percent / 100 for side, percent in percents.items()}
    return sum((found[side] - count) ** 2 / count for side, count in wanted.items())


@pytest.mark.parametrize("percent", [0.5, 1, 5, 33.3, 50, 90, 99.5])
@pytest.mark.parametrize("route", ["orders", "r"])
def test_share_of_viewers_is_that_of_the_split(percent, route):
    """Chi-square with one degree of freedom stays below its 99.9 % quantile."""
    found = Counter(sides(Splitter(route, [split(percent)]), viewers(8000)))

    assert chi_square(found, {0: 100 - percent, 1: percent}) < 10.83


@pytest.mark.parametrize(
    "by",
    [
        ("viewer", "viewer", "viewer"),
        ("viewer", "header:X-Tenant", "viewer"),
        ("header:X-Tenant", "cookie:group", "viewer"),
        ("request", "viewer", "header:X-Tenant"),
    ],
)
def test_several_splits_get_their_shares(by):
    """Also if they are by different values: each gets its percentage of all requests."""
    splits = [split(percent, one) for percent, one in zip((5, 20, 35), by, strict=True)]
    splitter = Splitter("orders", splits, chance=Random(7).random)
    found = Counter()
    for number, one in enumerate(viewers(8000)):
        headers = [(b"x-tenant", b"t%d" % number), (b"cookie", b"group=g%d" % number)]
        found[splitter.choose({**one, "headers": headers})] += 1

    assert chi_square(found, {0: 40, 1: 5, 2: 20, 3: 35}) < 16.27


@pytest.mark.parametrize("by", ["viewer", "request", "header:X-Tenant", "cookie:group"])
def test_0_and_100_percent_are_exact(by):
    """Nothing goes to a canary of 0 percent, everything to one of 100."""
    none, all_ = Splitter("orders", [split(0, by)]), Splitter("orders", [split(100, by)])
    requests = [*viewers(), request(), request(client=None)]

    assert set(sides(none, requests)) == {0}
    assert set(sides(all_, requests)) == {1}


@pytest.mark.parametrize("percents", [(33.3, 33.3, 33.4), (0.1,) * 1000, (50, 50, 0), (0, 50, 50)])
def test_splits_of_100_percent_leave_nothing_to_the_own_upstream(percents):
    """Also where the percentages add up to 100 but for rounding."""
    by_viewer = Splitter("orders", [split(one) for one in percents])
    found = Counter(sides(by_viewer, viewers()))

    assert found[0] == 0
    assert all(found[number] == 0 for number, one in enumerate(percents, 1) if one == 0)


def test_rounding_leaves_no_gap_between_splits():
    """A thousand splits of 0.1 percent add up to 99.9999999999986."""
    places = iter([0.001 + step * 2**-53 for step in range(-500, 500)])
    splitter = Splitter("orders", [split(0.1, "request")] * 1000, chance=lambda: next(places))

    assert 0 not in sides(splitter, [request()] * 1000)


@given(route=st.text(min_size=1), names=st.sets(st.text(min_size=1), min_size=1, max_size=20))
def test_viewers_stay_on_their_side(route, names):
    """In another process, with another address and other rights, the choice is the same."""
    here, there = (Splitter(route, [split(37.5)]) for _ in range(2))
    for name in names:
        side = here.choose(request(name))

        assert there.choose(request(name, client=("198.51.100.9", 1))) == side
        assert here.choose(request(name, scopes=frozenset({"admin"}), session="s")) == side


@given(low=PERCENT, more=PERCENT)
def test_higher_percentage_takes_no_viewer_out_of_the_canary(low, more):
    """Viewers of the canary at 5 percent are in it at 10 percent as well."""
    high = max(low, more)
    before = sides(Splitter("orders", [split(min(low, more))]), viewers(200))
    after = sides(Splitter("orders", [split(high)]), viewers(200))

    assert all(now for was, now in zip(before, after, strict=True) if was)


@given(
    first=st.floats(0, 40, allow_nan=False),
    second=st.floats(0, 30, allow_nan=False),
    third=st.floats(0, 15, allow_nan=False),
    more=st.floats(0, 15, allow_nan=False),
)
def test_raising_the_first_or_last_split_moves_no_viewer_between_splits(first, second, third, more):
    """Those that are added come from the route's own upstream only."""
    before = sides(Splitter("orders", [split(first), split(second), split(third)]), viewers(200))
    wider = Splitter("orders", [split(first + more), split(second), split(third)])
    longer = Splitter("orders", [split(first), split(second), split(third + more)])

    assert all(was in {now, 0} for was, now in zip(before, sides(wider, viewers(200)), strict=True))
    assert all(
        was in {now, 0} for was, now in zip(before, sides(longer, viewers(200)), strict=True)
    )


def test_routes_have_canaries_of_their_own():
    """The viewers in the canary of one route are not those of another."""
    one, other = (set_of(Splitter(route, [split(50)])) for route in ("orders", "users"))

    assert 0.4 < len(one & other) / len(one) < 0.6


def set_of(splitter):
    return {number for number, side in enumerate(sides(splitter, viewers())) if side}


def test_anonymous_viewers_stay_by_their_address():
    """Ports don't count, and of an IPv6 address the network; IPv4 in IPv6 is IPv4."""
    splitter = Splitter("orders", [split(50)])
    same = [
        (("192.0.2.7", 1), ("192.0.2.7", 2)),
        (("192.0.2.7", 1), ("::ffff:192.0.2.7", 2)),
        (("2001:db8::1", 1), ("2001:db8::ffff:2", 9)),
    ]
    found = Counter(
        splitter.choose(request(client=(f"10.0.{n // 256}.{n % 256}", 1))) for n in range(3000)
    )

    assert all(
        splitter.choose(request(client=one)) == splitter.choose(request(client=other))
        for one, other in same
    )
    assert chi_square(found, {0: 50, 1: 50}) < 10.83


@pytest.mark.parametrize("client", [None, ("", 0)])
def test_anonymous_viewers_without_an_address_are_drawn(client):
    """Behind a Unix socket not all of them go to one side."""
    splitter = Splitter("orders", [split(50)], chance=Random(1).random)

    assert set(sides(splitter, [request(client=client)] * 50)) == {0, 1}


def test_each_request_is_drawn():
    """With by="request" one viewer gets both sides."""
    splitter = Splitter("orders", [split(50, "request")], chance=Random(1).random)

    assert set(sides(splitter, [request("ada")] * 50)) == {0, 1}


@pytest.mark.parametrize(
    ("by", "field"),
    [
        ("header:X-Tenant", lambda value: (b"x-tenant", value)),
        ("header:x-tenant", lambda value: (b"x-tenant", value)),
        ("cookie:group", lambda value: (b"cookie", b"a=b; group=%b; c=d" % value)),
        ("cookie:group", lambda value: (b"cookie", b'group="%b"' % value)),
    ],
)
def test_requests_with_one_value_stay_together(by, field):
    """From any viewer, and each value has its side."""
    splitter = Splitter("orders", [split(50, by)])
    values = [b"value-%d" % number for number in range(40)]
    choices = [
        {splitter.choose(request(f"user-{n}", headers=[field(one)])) for n in range(5)}
        for one in values
    ]

    assert all(len(one) == 1 for one in choices)
    assert set.union(*choices) == {0, 1}


@pytest.mark.parametrize("by", ["header:X-Tenant", "cookie:group"])
@pytest.mark.parametrize(
    "headers", [[], [(b"x-tenant", b""), (b"cookie", b"group=")], [(b"cookie", b"groups=1")]]
)
def test_requests_without_the_value_count_as_their_viewer(by, headers):
    """The canary has its share of them, and a viewer stays on one side."""
    splitter = Splitter("orders", [split(20, by)])
    requests = [request(f"user-{number}", headers=headers) for number in range(3000)]
    found = sides(splitter, requests)

    assert found == sides(splitter, requests)
    assert chi_square(Counter(found), {0: 80, 1: 20}) < 10.83


def test_a_header_can_not_pass_for_a_viewer():
    """A client that sends another viewer's name as the header is not on that viewer's side."""
    splitter = Splitter("orders", [split(50, "header:X-Tenant")])
    pairs = [
        (
            splitter.choose(request(f"user-{number}")),
            splitter.choose(
                request(headers=[(b"x-tenant", Viewer(f"user-{number}").identity.encode())])
            ),
        )
        for number in range(400)
    ]

    assert 0.4 < sum(one == other for one, other in pairs) / len(pairs) < 0.6


@pytest.mark.parametrize(
    "by", ["", "user", "header:", "cookie:", "header:X Tenant", "cookie:a=b", "viewer:x", "Viewer"]
)
def test_unknown_value_is_refused_at_start(by):
    """The error names the option."""
    with pytest.raises(ConfigurationError, match=r"Split.by"):
        Splitter("orders", [split(5, by)])


@pytest.mark.parametrize("percents", [(60, 41), (100, 0.01), (40, 40, 40)])
def test_splits_over_100_percent_are_refused_at_start(percents):
    """The error names the route."""
    with pytest.raises(ConfigurationError, match=r"orders.*more than 100"):
        Splitter("orders", [split(one) for one in percents])


def test_operators_read_which_side_answers():
    """A sink that counts gets the upstream of each request of the route; others don't."""
    counted, logged = [], []

    class Counting:
        counts = True

        def __call__(self, event):
            counted.append(event)

    splits = [split(0), split(100, to="orders-next")]
    splitter = Splitter(
        "orders",
        splits,
        names=("orders", "x", "orders_next"),
        events=lambda: Events(Counting(), logged.append),
    )
    splitter.choose(request("ada"))
    Splitter("orders", splits, events=lambda: Events(logged.append)).choose(request("ada"))

    assert counted == [SplitChosen("orders", "orders_next")]
    assert logged == []
