"""Which replies are stored and for how long: examples of the RFCs, with their sections."""

from dataclasses import dataclass, field
from math import inf

import pytest

from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import bypass, judge
from bff_core.cache.storing import NotStorable, storage_seconds
from bff_core.policy.upstream.cache import Cache
from tests.cache.exchanges import (
    DATE,
    HOUR_EARLIER,
    MINUTE_LATER,
    NOW,
    TENANT,
    VIEWER,
    admitted,
    call,
    entry_of,
    reply,
)


@dataclass
class Row:
    """A reply, and its remaining seconds (fresh, stale, error) or why it is not stored."""

    section: str
    headers: dict | str
    outcome: tuple[float, float, float] | str
    status: int = 200
    audience: str | None = None
    sends: dict = field(default_factory=dict)
    options: Cache = field(default_factory=Cache)

    def __str__(self) -> str:
        return f"{self.section}: {self.headers}".replace("\n", " ")[:80]


EXPIRES = {"date": DATE, "expires": MINUTE_LATER}
MODIFIED = {"date": DATE, "last-modified": HOUR_EARLIER}
CREDENTIALS = {"authorization": "Bearer t"}
OVERRIDES = Cache(ttl=30, stale=300, error=3600)
LASTING = Cache(stale=300, error=3600)
FORCED = Cache(stale=300, error=3600, force_stale=True)
TAGGED = {"etag": '"v1"'}
TARGETED_STRICT = {"cdn-cache-control": "max-age=6, must-revalidate", "cache-control": "max-age=9"}

TABLE = [
    # RFC 9111, section 3: storing
    Row("9111-3 fresh by max-age", "max-age=60", (60, 0, 0)),
    Row("9111-3 nothing said, nothing to ask by", {}, "no-lifetime"),
    Row("9111-3 nothing said, but a validator", {"etag": '"v1"'}, (0, 0, 0)),
    Row("9111-3 public alone names no lifetime", "public", "no-lifetime"),
    Row("9111-3 a status that is not final", "max-age=60", "status", status=103),
    Row("9111-3 redirects that are stored by themselves", "max-age=9", (9, 0, 0), status=301),
    Row("9111-3 others only if the service says so", "max-age=9", (9, 0, 0), status=302),
    Row("9111-3 others not by a validator alone", {"etag": '"v1"'}, "status", status=302),
    Row("9111-3 a negative answer", "max-age=5", (5, 0, 0), status=404),
    Row("9111-3 a failure is never stored", "max-age=60", "error", status=503),
    Row("9111-3 501 is a failure", "max-age=60", "error", status=501),
    Row("6585-4 too many requests", "max-age=60", "status", status=429),
    Row("6585-5 too large fields", "max-age=60", "status", status=431),
    Row("9111-3.3 a part is not the whole", "max-age=60", "partial", status=206),
    Row(
        "9111-3.3 a part that calls itself 200",
        {"cache-control": "max-age=60", "content-range": "bytes 0-9/100"},
        "partial",
    ),
    Row("9111-4.3.4 a 304 is not an answer", "max-age=60", "status", status=304),
    Row("9111-7.3 a reply that sets a cookie", {"set-cookie": "a=1"} | EXPIRES, "set-cookie"),
    Row(
        "9111-7.3 a cookie, in the viewer's own cache",
        {"set-cookie": "a=1"} | EXPIRES,
        "set-cookie",
        audience=VIEWER,
    ),
    # RFC 9111, section 3.5: Authorization
    Row("9111-3.5 credentials", "max-age=60", "authorization", sends=CREDENTIALS),
    Row("9111-3.5 public", "public, max-age=60", (60, 0, 0), sends=CREDENTIALS),
    Row("9111-3.5 s-maxage", "s-maxage=60", (60, 0, 0), sends=CREDENTIALS),
    Row("9111-3.5 must-revalidate", "must-revalidate, max-age=6", (6, 0, 0), sends=CREDENTIALS),
    Row("9111-3.5 own cache", "max-age=60", (60, 0, 0), sends=CREDENTIALS, audience=VIEWER),
    Row("9111-3.5 a tenant's", "max-age=60", "authorization", sends=CREDENTIALS, audience=TENANT),
    Row("9111-3.5 the author's word", {}, (30, 0, 0), sends=CREDENTIALS, options=Cache(ttl=30)),
    # RFC 9111, section 4.1: Vary
    Row("9111-4.1 no other request matches", {"vary": "*"} | EXPIRES, "vary"),
    Row("9111-4.1 a star among others", {"vary": "accept, *"} | EXPIRES, "vary"),
    Row("9111-4.1 no list of names", {"vary": "x y"} | EXPIRES, "vary"),
    Row("9111-4.1 names", {"vary": "Accept-Language"} | EXPIRES, (60, 0, 0)),
    # RFC 9111, section 4.2.1: the lifetime
    Row("9111-4.2.1 s-maxage first", "max-age=60, s-maxage=120", (120, 0, 0)),
    Row("9111-4.2.1 max-age before Expires", {"cache-control": "max-age=9"} | EXPIRES, (9, 0, 0)),
    Row("9111-4.2.1 Expires less Date", EXPIRES, (60, 0, 0)),
    Row("9111-4.2.1 Expires without Date", {"expires": MINUTE_LATER}, (60, 0, 0)),
    Row("9111-4.2.1 the same twice", "max-age=60, max-age=60", (60, 0, 0)),
    Row("9111-4.2.1 two that differ", "max-age=60, max-age=70", "expired"),
    Row(
        "9111-4.2.1 on two lines",
        {"cache-control": ["max-age=60", "max-age=1"]},
        "expired",
    ),
    Row("9111-4.2.1 not an integer", "max-age=1.5", "expired"),
    Row("9111-4.2.1 negative", "max-age=-1", "expired"),
    Row("9111-4.2.1 invalid s-maxage, valid max-age", "s-maxage=x, max-age=60", "expired"),
    Row("9111-4.2.1 max-age and no-cache", "max-age=60, no-cache", "expired"),
    Row("9111-1.2.2 too large an integer", "max-age=99999999999999", (2.0**31, 0, 0)),
    Row("9111-5.2 a quoted number", 'max-age="60"', (60, 0, 0)),
    Row("9111-5.2 in any case", "MAX-AGE=60", (60, 0, 0)),
    Row("9111-5.2.3 extensions are passed over", 'max-age=60, x="a, no-store"', (60, 0, 0)),
    Row("9111-5.3 an invalid date is in the past", {"date": DATE, "expires": "0"}, "expired"),
    Row("9111-5.3 the moment of Date", {"date": DATE, "expires": DATE}, "expired"),
    Row("9111-5.3 an earlier date", {"date": DATE, "expires": HOUR_EARLIER}, "expired"),
    Row("9111-5.3 two dates", {"date": DATE, "expires": [MINUTE_LATER, MINUTE_LATER]}, "expired"),
    # RFC 9111, section 4.2.2: guesses
    Row("9111-4.2.2 not unless required", MODIFIED, (0, 0, 0)),
    Row("9111-4.2.2 a tenth", MODIFIED, (360, 0, 0), options=Cache(heuristic=0.1)),
    Row(
        "9111-4.2.2 not where the service says",
        MODIFIED | {"cache-control": "max-age=5"},
        (5, 0, 0),
        options=Cache(heuristic=0.1),
    ),
    Row(
        "9111-4.2.2 not of other statuses",
        MODIFIED | {"cache-control": "private"},
        (0, 0, 0),
        status=403,
        audience=VIEWER,
        options=Cache(heuristic=0.1),
    ),
    Row(
        "9111-4.2.2 a day at most",
        {"date": DATE, "last-modified": "Sun, 06 Nov 1904 08:49:37 GMT"},
        (86400, 0, 0),
        options=Cache(heuristic=0.5),
    ),
    # RFC 9111, section 4.2.3: age
    Row("9111-4.2.3 Age counts", {"cache-control": "max-age=60", "age": "20"}, (40, 0, 0)),
    Row("9111-4.2.3 came too old", {"cache-control": "max-age=60", "age": "60"}, "expired"),
    Row("9111-5.1 the first of a list", {"cache-control": "max-age=9", "age": "2, 8"}, (7, 0, 0)),
    Row("9111-5.1 an invalid Age", {"cache-control": "max-age=9", "age": "-2"}, (9, 0, 0)),
    Row(
        "9111-4.2.3 an old Date alone proves no age",
        {"cache-control": "max-age=60", "date": HOUR_EARLIER, "via": "1.1 a, 2 b"},
        (60, 0, 0),
    ),
    Row(
        "9111-4.2.3 it does behind a proxy that sends none",
        {"cache-control": "max-age=7200", "date": HOUR_EARLIER, "via": "1.1 a, 1.0 b"},
        (3600, 0, 0),
    ),
    Row(
        "9111-4.2.3 never less than nothing",
        {"cache-control": "max-age=60", "date": MINUTE_LATER, "via": "1.0 b"},
        (60, 0, 0),
    ),
    # RFC 9111, section 4.2.4 and RFC 5861: stale
    Row("5861-3.1", "max-age=600, stale-while-revalidate=30", (600, 30, 0)),
    Row("5861-4.1", "max-age=600, stale-if-error=1200", (600, 0, 1200)),
    Row("5861-3 a window without an argument", "max-age=6, stale-while-revalidate", (6, 0, 0)),
    Row("9111-5.2.2.2 must-revalidate", "max-age=6, stale-if-error=9, must-revalidate", (6, 0, 0)),
    Row("9111-5.2.2.8 shared", "max-age=6, stale-if-error=9, proxy-revalidate", (6, 0, 0)),
    Row(
        "9111-5.2.2.8 not in a private cache",
        "private, max-age=6, stale-if-error=9, proxy-revalidate",
        (6, 0, 9),
        audience=VIEWER,
    ),
    Row("5861-3 beside s-maxage", "s-maxage=6, stale-while-revalidate=9", (6, 9, 0)),
    # RFC 9111, section 5.2.2: the other directives
    Row("9111-5.2.2.5 no-store", "no-store, max-age=60", "no-store"),
    Row("9111-5.2.2.5 even one's own", "no-store", "no-store", audience=VIEWER),
    Row("9111-5.2.2.4 no-cache", {"cache-control": "no-cache", "etag": '"v"'}, (0, 0, 0)),
    Row("9111-5.2.2.4 no-cache without validator", "no-cache", "expired"),
    Row("9111-5.2.2.4 qualified", 'no-cache="x-a", max-age=60', (60, 0, 0)),
    Row("9111-5.2.2.7 private, of everybody", "private, max-age=60", "private"),
    Row("9111-5.2.2.7 private, anonymous", "private, max-age=9", "private", audience="anonymous"),
    Row("9111-5.2.2.7 private, unbound", "private, max-age=9", "private", audience="unbound"),
    Row("9111-5.2.2.7 private, a tenant's", "private, max-age=9", "private", audience=TENANT),
    Row("9111-5.2.2.7 private, one's own", "private, max-age=9", (9, 0, 0), audience=VIEWER),
    Row("9111-5.2.2.7 qualified", 'private="x-a", max-age=60', (60, 0, 0)),
    Row("9111-5.2.2.7 malformed names", 'private="x a", max-age=60', "private"),
    Row("9111-5.2.2.10 not of private", "private, s-maxage=9, max-age=2", (2, 0, 0), 200, VIEWER),
    Row("9111-5.2.2.3 understood", "must-understand, no-store, max-age=60", (60, 0, 0)),
    Row("9111-5.2.2.3 not understood", "must-understand, max-age=60", "status", status=299),
    Row("9111-5.2.2.3 without it any status", "max-age=60", (60, 0, 0), status=299),
    # RFC 9213
    Row(
        "9213-3.1 the targeted field first",
        {"cache-control": "max-age=60, s-maxage=120", "cdn-cache-control": "max-age=600"},
        (600, 0, 0),
    ),
    Row(
        "9213-3.1 over no-store",
        {"cache-control": "no-store", "cdn-cache-control": "max-age=600"},
        (600, 0, 0),
    ),
    Row(
        "9213-3.1 a member that is none",
        {"cache-control": "no-store", "cdn-cache-control": "none"},
        "no-lifetime",
    ),
    Row("9213-3.1 not there", "no-store", "no-store"),
    Row(
        "9213-2.2 the first of the list",
        {"cdn-cache-control": "max-age=600", "bff-cache-control": "max-age=5"},
        (5, 0, 0),
    ),
    Row(
        "9213-2.2 Expires does not count", EXPIRES | {"cdn-cache-control": "public"}, "no-lifetime"
    ),
    Row(
        "9213-2.1 malformed is not there",
        {"cache-control": "max-age=9", "cdn-cache-control": "max-age=600,,"},
        (9, 0, 0),
    ),
    Row("9213-2.1 empty is not there", EXPIRES | {"cdn-cache-control": ""}, (60, 0, 0)),
    Row("9213-2.1 a string for a number", {"cdn-cache-control": 'max-age="60"'}, "expired"),
    Row("9213-2.1 a decimal for a number", {"cdn-cache-control": "max-age=60.0"}, "expired"),
    Row("9213-2.1 parameters", {"cdn-cache-control": "max-age=60;x=1"}, (60, 0, 0)),
    Row("9213-2.1 a flag that is off", {"cdn-cache-control": "max-age=6, no-store=?0"}, (6, 0, 0)),
    Row("9213-2.1 names in a string", {"cdn-cache-control": 'private="x-a", max-age=6'}, (6, 0, 0)),
    Row(
        "9213-2.2 upper case is malformed", {"cdn-cache-control": "MAX-AGE=6"} | EXPIRES, (60, 0, 0)
    ),
    Row(
        "9213-2.2 of the policy's choice",
        {"shop-cache-control": "max-age=7", "cdn-cache-control": "max-age=600"},
        (7, 0, 0),
        options=Cache(targeted=("Shop-Cache-Control",)),
    ),
    # What the author says in the service's place
    Row("policy in place of nothing", {}, (30, 300, 3600), options=OVERRIDES),
    Row("policy over no-store: ttl alone", "no-store", (30, 0, 0), options=OVERRIDES),
    Row("policy over no-cache: ttl alone", "no-cache", (30, 0, 0), options=OVERRIDES),
    Row("4.2.4 no-cache", TAGGED | {"cache-control": "no-cache"}, (0, 0, 0), options=LASTING),
    Row("4.2.4 must-revalidate", "max-age=6, must-revalidate", (6, 0, 0), options=LASTING),
    Row("4.2.4 proxy-revalidate", "max-age=6, proxy-revalidate", (6, 0, 0), options=LASTING),
    Row("4.2.4 s-maxage", "max-age=9, s-maxage=6", (6, 0, 0), options=LASTING),
    Row("4.2.4 no-store", "no-store", "no-store", options=LASTING),
    Row("4.2.4 in a targeted field", TARGETED_STRICT, (6, 0, 0), options=LASTING),
    Row("4.2.4 of a 404", "max-age=6, must-revalidate", (6, 0, 0), 404, options=LASTING),
    Row(
        "4.2.4 private no-cache",
        TAGGED | {"cache-control": "private, no-cache"},
        (0, 0, 0),
        200,
        VIEWER,
        options=LASTING,
    ),
    Row(
        "4.2.4 private s-maxage",
        "private, max-age=6, s-maxage=9",
        (6, 300, 3600),
        200,
        VIEWER,
        options=LASTING,
    ),
    Row(
        "4.2.4 private proxy-revalidate",
        "private, max-age=6, proxy-revalidate",
        (6, 300, 3600),
        200,
        VIEWER,
        options=LASTING,
    ),
    Row(
        "4.2.4 its own window beside s-maxage",
        "s-maxage=6, stale-if-error=9",
        (6, 0, 9),
        options=LASTING,
    ),
    Row(
        "4.2.4 what came too old",
        {"cache-control": "max-age=6, must-revalidate", "age": "9"},
        "expired",
        options=LASTING,
    ),
    *(
        Row(f"4.2.4 forced over {said}", said, (fresh, 300, 3600), options=FORCED)
        for said, fresh in (
            ("no-store", 0),
            ("no-cache", 0),
            ("max-age=6, must-revalidate", 6),
            ("max-age=6, proxy-revalidate", 6),
            ("s-maxage=6", 6),
            ("max-age=6", 6),
        )
    ),
    Row("policy over a longer one", "max-age=900", (30, 300, 3600), options=OVERRIDES),
    Row("policy over an old reply", {"age": "900"}, (30, 300, 3600), options=OVERRIDES),
    Row("policy: ttl alone", "stale-if-error=9, max-age=1", (30, 0, 9), options=Cache(ttl=30)),
    Row("policy: error alone", "max-age=60", (60, 0, 9), options=Cache(error=9)),
    Row("policy: stale of what came too old", {"age": "9"}, (0, 5, 0), options=Cache(stale=5)),
    Row("policy: 0 is a number", "max-age=60", "expired", options=Cache(ttl=0)),
    Row("policy over private", "private", "private", options=OVERRIDES),
    Row("policy over private, own", "private", (30, 300, 3600), 200, VIEWER, options=OVERRIDES),
    Row("policy over a cookie", {"set-cookie": "a=1"}, "set-cookie", options=OVERRIDES),
    Row("policy over Vary: *", {"vary": "*"}, "vary", options=OVERRIDES),
    Row("policy over a part", {}, "partial", status=206, options=OVERRIDES),
    Row("policy over a failure", {}, "error", status=500, options=OVERRIDES),
    Row("policy is not for refusals", {}, "status", status=403, options=OVERRIDES),
    Row("policy is not for theirs", "max-age=5", (5, 0, 0), status=403, options=OVERRIDES),
    Row("policy: not found", {}, (30, 300, 3600), status=404, options=OVERRIDES),
    Row("policy: the largest body", "max-age=60", "size", options=Cache(max_body=8)),
    Row("policy: as large as allowed", "max-age=60", (60, 0, 0), options=Cache(max_body=9)),
]


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_reply_is_stored_as_the_rfc_requires(row: Row) -> None:
    """A service that follows the RFCs gets what its headers say."""
    sender = call(audience=row.audience, headers=row.sends)

    outcome = admitted(reply(row.headers, row.status), sender, row.options)

    assert lifetimes_of(outcome) == row.outcome


def lifetimes_of(outcome: CacheEntry | NotStorable) -> tuple[float, float, float] | str:
    if isinstance(outcome, NotStorable):
        return outcome.reason
    return max(0.0, outcome.fresh_until - NOW), outcome.stale_for, outcome.error_for


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
def test_only_replies_to_get_are_stored(method: str) -> None:
    """Writes are not repeated, and a HEAD has no body to store."""
    outcome = admitted(reply("max-age=60"), call(method=method))

    assert outcome == NotStorable("method")


def test_the_response_delay_is_part_of_the_age() -> None:
    """The service may have made the reply at the beginning of the two seconds (9111-4.2.3)."""
    entry = admitted(reply({"cache-control": "max-age=60", "age": "10"}), delay=2.0)

    assert entry.age(NOW) == 12.0


def test_a_wrong_clock_expires_nothing() -> None:
    """A gateway whose clock is an hour ahead stores replies as long as others."""
    dated = reply({"cache-control": "max-age=60", "date": HOUR_EARLIER})
    expiring = reply({"date": HOUR_EARLIER, "expires": "Sun, 06 Nov 1994 07:50:37 GMT"})

    assert entry_of(dated).fresh_for == entry_of(expiring).fresh_for == 60.0


def test_fields_of_a_qualified_private_are_not_stored() -> None:
    """A qualified private or no-cache names fields for the first client only."""
    headers = {"cache-control": 'private="x-who", no-cache="X-Trail", max-age=60'}

    entry = entry_of(reply(headers | {"x-who": "u-1", "x-trail": "1", "x-stored": "yes"}))

    assert {name for name, _ in entry.headers} == {b"content-type", b"cache-control", b"x-stored"}


def test_a_reply_with_too_many_tags_is_not_stored() -> None:
    """More tags than the limit, or one that is too long: a purge might miss the entry."""
    many = " ".join(f"t{number}" for number in range(128))

    assert admitted(reply({"surrogate-key": many} | EXPIRES)) == NotStorable("tags")
    assert admitted(reply({"cache-tag": "x" * 257} | EXPIRES)) == NotStorable("tags")


def test_an_entry_has_the_tags_of_call_service_and_url() -> None:
    """A purge of one of them drops it."""
    headers = {"surrogate-key": "shelf-1 shelf-2", "cache-tag": "summer sale, shelf-1"}

    entry = entry_of(reply(headers | EXPIRES), call(tags=("product:7",)))

    assert entry.tags == (
        *("url:catalog:/products/7", "product:7"),
        *("shelf-1", "shelf-2", "summer sale"),
    )


# What may be done with what is stored


def verdict(
    entry: CacheEntry | None, after: float, options: Cache | None = None, **sends: str
) -> str:
    headers = {name.replace("_", "-"): value for name, value in sends.items()}
    found = judge(
        entry, call(headers=headers), options or Cache(), now=NOW + after, chance=lambda: 0.5
    )
    return f"{found.kind} {found.reason}"


WINDOWS = "max-age=60, stale-while-revalidate=30, stale-if-error=90"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (0, "fresh fresh"),
        (53.9, "fresh fresh"),
        (59.9, "early early"),
        (60, "stale stale"),  # 9111-4.2: fresh if the lifetime is greater than the age
        (89.9, "stale stale"),
        (90, "revalidate stale"),
        (149.9, "revalidate stale"),
        (150, "miss stale"),
    ],
)
def test_an_entry_ages_from_fresh_to_gone(after: float, expected: str) -> None:
    """It is fresh, refreshed ahead, served stale, served on errors, then nothing."""
    assert verdict(entry_of(reply(WINDOWS)), after) == expected


def test_a_call_without_an_entry_is_a_miss() -> None:
    """Cache-Status calls it uri-miss."""
    assert verdict(None, 0) == "miss uri-miss"


def test_an_expired_entry_with_a_validator_is_revalidated() -> None:
    """A 304 is cheaper than the body, however old the entry is."""
    entry = entry_of(reply({"cache-control": "max-age=60", "etag": '"v1"'}))

    assert verdict(entry, 10_000) == "revalidate stale"


def test_an_entry_answers_for_a_failing_upstream_until_an_instant() -> None:
    """The verdict contains the instant, since the failure comes later."""
    entry = entry_of(reply({"cache-control": WINDOWS, "etag": '"v1"'}))

    first = judge(entry, call(), Cache(), now=NOW + 100, chance=lambda: 0.5)
    late = judge(entry, call(), Cache(), now=NOW + 150, chance=lambda: 0.5)

    assert (first.error_until, late.error_until) == (NOW + 150, -inf)


def test_a_variant_is_no_answer_to_another_request() -> None:
    """9111-4.1: the fields that Vary names have to match; absent matches absent."""
    german = call(headers={"accept-language": "de"})
    entry = entry_of(reply({"vary": "accept-language"} | EXPIRES), german)

    assert verdict(entry, 0, accept_language="de") == "fresh fresh"
    assert verdict(entry, 0, accept_language="en") == "miss vary-miss"
    assert verdict(entry, 0) == "miss vary-miss"


VALIDATED = {"cache-control": "max-age=60, stale-while-revalidate=30", "etag": '"v1"'}
STRICT = {"cache-control": "max-age=60, must-revalidate", "etag": '"v1"'}


@pytest.mark.parametrize(
    ("wish", "headers", "after", "expected"),
    [
        ("max-age=10", VALIDATED, 10, "fresh fresh"),  # 9111-5.2.1.1
        ("max-age=10", VALIDATED, 11, "revalidate request"),
        ("max-age=100", VALIDATED, 70, "revalidate stale"),  # the call does not accept stale
        ("max-age=0", VALIDATED, 1, "revalidate request"),
        ("max-stale=10", VALIDATED, 95, "revalidate stale"),  # 9111-5.2.1.2
        ("max-stale=40", VALIDATED, 95, "stale stale"),
        ("max-stale", VALIDATED, 9000, "stale stale"),
        ("max-stale=x", VALIDATED, 95, "revalidate stale"),
        ("max-stale", STRICT, 61, "revalidate stale"),  # 9111-4.2.4
        ("max-stale", {"cache-control": "s-maxage=6", "etag": '"v"'}, 7, "revalidate stale"),
        ("max-age=100, max-stale=5", VALIDATED, 62, "stale stale"),
        ("min-fresh=20", VALIDATED, 40, "fresh fresh"),  # 9111-5.2.1.3
        ("min-fresh=20", VALIDATED, 41, "revalidate request"),
        ("no-cache", VALIDATED, 0, "revalidate request"),  # 9111-5.2.1.4
        ("no-cache", "max-age=60", 0, "miss request"),
        ("no-transform", VALIDATED, 70, "stale stale"),
    ],
)
def test_the_cache_control_of_a_call_is_honoured(wish, headers, after, expected) -> None:
    """It may demand a fresher reply, or accept a stale one if the service allows that."""
    assert verdict(entry_of(reply(headers)), after, cache_control=wish) == expected


@pytest.mark.parametrize(
    ("sends", "expected"),
    [
        ({}, ""),
        ({"x-any": "1", "cache-control": "no-cache"}, ""),
        ({"cache-control": "no-store"}, "request"),
        ({"range": "bytes=0-9"}, "partial"),
        ({"if-none-match": '"v1"'}, "conditional"),
        ({"if-modified-since": DATE}, "conditional"),
    ],
)
def test_ranges_and_conditions_bypass_the_cache(sends: dict, expected: str) -> None:
    """A call for a part, or with a condition, goes to the service, and its reply is not stored."""
    sender = call(headers=sends)

    assert bypass(sender) == bypass(call(method="HEAD", headers=sends)) == expected
    assert bypass(call(method="DELETE", headers=sends)) == "method"
    assert (admitted(reply("max-age=60"), sender) == NotStorable(expected)) == bool(expected)


def test_an_immutable_reply_is_not_refreshed_early() -> None:
    """RFC 8246: while it is fresh, revalidation is wasted."""
    entry = entry_of(reply("max-age=60, immutable"))

    assert verdict(entry, 59.99) == "fresh fresh"
    assert verdict(entry, 60) == "miss stale"


def test_early_refreshes_grow_likelier_towards_expiry() -> None:
    """1 % of the requests at the window's start, all at its end, none before it."""
    entry = entry_of(reply("max-age=100"))
    chances = [number / 10_000 for number in range(10_000)]
    options = Cache(early=0.2)

    def share(after: float) -> float:
        draw = iter(chances).__next__
        now = NOW + after
        kinds = [judge(entry, call(), options, now=now, chance=draw).kind for _ in chances]
        return kinds.count("early") / len(kinds)

    assert share(80) == 0
    assert 0.005 < share(80.001) < 0.01
    assert 0.07 < share(90) < 0.09
    assert share(99.999) > 0.99


def test_a_reply_that_arrived_old_is_not_refreshed_early_at_once() -> None:
    """The window is a share of the remaining time, not of the whole lifetime."""
    entry = entry_of(reply({"cache-control": "max-age=1000", "age": "950"}))

    assert verdict(entry, 44) == "fresh fresh"
    assert verdict(entry, 49.9) == "early early"


def test_early_refreshes_can_be_switched_off() -> None:
    """For a service that must not be called more often than necessary."""
    assert verdict(entry_of(reply("max-age=60")), 59.999, Cache(early=0)) == "fresh fresh"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("max-age=60", 60),
        (WINDOWS, 150),
        ({"cache-control": WINDOWS, "etag": '"v1"'}, 150 + 3600),
        ({"etag": '"v1"'}, 3600),
    ],
)
def test_an_entry_is_stored_as_long_as_it_may_be_useful(headers, seconds: float) -> None:
    """To the end of its last window, and for an hour more if it can be revalidated."""
    assert storage_seconds(entry_of(reply(headers)), NOW) == seconds
