"""Session affinity: clients stay with the endpoint that answered them first."""

import asyncio
import base64
import hashlib
from dataclasses import replace

import pytest

from bff_core import Affinity, Balance, Cache, Policy, Scope, Upstream
from bff_core.errors import AffinityLost, ConfigurationError, TransportFailed
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.retry import Retry
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply
from bff_core.upstream.affinity_values import AffinityValues
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.stack import open_stack

pytestmark = pytest.mark.virtual_time

HOSTS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
SECRET = "k" * 40
PLAIN = Policy(retry=None, affinity=Affinity(), coalesce=False)
REFUSING = replace(PLAIN, affinity=Affinity(when_gone="refuse"))
COOKIE = "__Host-endpoint-carts"


class Carts(Upstream):
    """A service whose sessions live in its processes."""

    async def cart(self) -> str:
        return await self.get("/cart", str)


class Shop:
    """Three processes of a service, and clients that send back what they were given."""

    def __init__(self, policy: Policy = PLAIN, secrets=(SECRET,), **weights: int) -> None:
        self.bench = LayerRuntime("carts")
        self.now = 1_800_000_000.0
        self.scripts = {host: Scripted(reply(200, host)) for host in HOSTS}
        self.runtime = replace(self.bench.runtime, signing_secrets=secrets, wall=lambda: self.now)
        self.open(policy)

    def open(self, policy: Policy, hosts=HOSTS, **options: dict) -> None:
        addresses = [EndpointOptions(f"http://{host}", **options.get(host, {})) for host in hosts]
        self.stack = open_stack(
            policy, addresses, self.runtime, lambda *_: ScriptedTransport(self.scripts)
        )
        self.carts = Carts(self.stack, clock=self.bench.runtime.clock)

    async def ask(self, *headers: tuple[bytes, bytes]) -> tuple[str, list[tuple[bytes, bytes]]]:
        """Return which endpoint answered one request, and the headers of its answer."""
        scope = Scope(self.bench.now + 60, headers=tuple(headers))
        return await self.carts.bind(scope).cart(), scope.added

    async def first(self) -> tuple[str, bytes]:
        """Return the endpoint of a new client, and its cookie."""
        host, added = await self.ask()
        ((_, line),) = added
        return host, line.partition(b";")[0]

    def member(self, host: str):
        return next(one for one in self.stack.balancer.endpoints.members if one.key.host == host)

    def eject(self, *hosts: str) -> None:
        for host in hosts:
            self.stack.balancer.eject(self.member(host), 30.0)


def cookie(pair: bytes) -> tuple[bytes, bytes]:
    return b"cookie", b"theme=dark; " + pair + b"; lang=de"


async def test_a_client_stays_with_the_endpoint_of_its_first_request() -> None:
    """The cookie leads thirty requests to the same endpoint, and is set once."""
    shop = Shop()
    host, pair = await shop.first()

    answers = [await shop.ask(cookie(pair)) for _ in range(30)]

    assert {answered for answered, _ in answers} == {host}
    assert all(added == [] for _, added in answers)


async def test_clients_are_spread_over_the_endpoints() -> None:
    """New ones go wherever the balancer says."""
    shop = Shop()

    assert {host for host, _ in [await shop.first() for _ in range(40)]} == set(HOSTS)


async def test_the_cookie_is_out_of_reach_for_scripts_and_for_plain_http() -> None:
    """HttpOnly, Secure, Lax, one host, and the session of the browser."""
    _, added = await Shop().ask()

    ((name, line),) = added
    pair, *attributes = line.decode().split("; ")
    assert name == b"set-cookie"
    assert pair.partition("=")[0] == COOKIE
    assert attributes == ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"]


async def test_the_value_hides_the_address() -> None:
    """Neither the address nor a plain hash of it is in the value; all values differ by key."""
    host, pair = await Shop().first()
    value = base64.urlsafe_b64decode(pair.partition(b"=")[2])

    for text in (host, f"{host}:80", f"http://{host}", f"http://{host} {host}"):
        assert text.encode() not in value
        for algorithm in ("md5", "sha1", "sha256", "blake2b"):
            assert hashlib.new(algorithm, text.encode()).digest()[:8] not in value
    assert len(value) == 33


@pytest.mark.parametrize("name", ["", "X-Server"])
async def test_a_header_can_hold_the_value(name) -> None:
    """For clients without cookies: the reply's header, sent back as it came."""
    shop = Shop(replace(PLAIN, affinity=Affinity(by="header", name=name)))
    host, added = await shop.ask()
    ((own, value),) = added

    answers = [await shop.ask((own.title(), value)) for _ in range(20)]

    assert own == (name.lower() or "endpoint-carts").encode()
    assert answers == [(host, [])] * 20


def forge(value: bytes, at: int) -> bytes:
    octets = bytearray(base64.urlsafe_b64decode(value))
    octets[at] ^= 1
    return base64.urlsafe_b64encode(bytes(octets))


FORGERIES = {
    "another endpoint": lambda value: forge(value, 0),
    "another time": lambda value: forge(value, 14),
    "another signature": lambda value: forge(value, 32),
    "empty": lambda _: b"",
    "cut": lambda value: value[:-1],
    "longer": lambda value: value + b"AAAA",
    "no base64": lambda value: b"!" * len(value),
    "standard base64": lambda value: b"+" + value[1:],
    "not ASCII": lambda value: b"\xff" + value[1:],
    "zeros": lambda value: base64.urlsafe_b64encode(bytes(33)),
    "white space inside": lambda value: value[:10] + b" " + value[11:],
    "an address": lambda _: b"10.0.0.2",
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
@pytest.mark.parametrize("policy", [PLAIN, REFUSING], ids=["redistribute", "refuse"])
async def test_a_forged_value_counts_as_none(forged, policy) -> None:
    """No error, no choice of the endpoint: the client is a new one, and gets a good value."""
    shop = Shop(policy)
    _, pair = await shop.first()
    name, _, value = pair.partition(b"=")
    bad = name + b"=" + forged(value)

    answers = [await shop.ask(cookie(bad)) for _ in range(40)]

    assert {host for host, _ in answers} == set(HOSTS)
    assert all(len(added) == 1 for _, added in answers)


async def test_a_value_of_another_key_upstream_or_name_counts_as_none() -> None:
    """Each key signs for one upstream and one name."""
    shop = Shop()
    headers = AffinityValues(Affinity(), "carts", [SECRET]).field(b"e" * 12)[1].partition(b";")[0]
    values = AffinityValues(Affinity(), "carts", [SECRET])
    assert values.read((cookie(headers),)) == (b"e" * 12, False)

    for options, upstream, secret in (
        (Affinity(), "carts", "j" * 40),
        (Affinity(name=COOKIE), "orders", SECRET),
        (Affinity(name="other"), "carts", SECRET),
    ):
        other = AffinityValues(options, upstream, [secret]).field(b"e" * 12)[1].partition(b";")[0]
        renamed = COOKIE.encode() + b"=" + other.partition(b"=")[2]
        assert values.read((cookie(renamed),)) is None
    assert (await shop.ask(cookie(headers)))[1], "an endpoint that never was is gone"


def test_a_value_has_one_spelling() -> None:
    """The other alphabet of base64 is another value."""
    values = AffinityValues(Affinity(by="header"), "carts", [SECRET], wall=lambda: 0.0)
    fields = [values.field(b"endpoint %03d" % number) for number in range(100)]
    name, value = next(field for field in fields if b"-" in field[1])

    assert values.read(((name, value),)) is not None
    assert values.read(((name, value.replace(b"-", b"+")),)) is None


async def test_a_value_that_was_sent_twice_counts_as_none() -> None:
    """Another site may have set the second one."""
    shop = Shop()
    _, pair = await shop.first()

    _, added = await shop.ask((b"cookie", pair + b"; " + pair))

    assert len(added) == 1


async def test_keys_rotate() -> None:
    """A value of the older key is read, and set anew by the newer one; a dropped key reads none."""
    before = Shop(secrets=("old" * 14,))
    host, pair = await before.first()
    both = Shop(secrets=("new" * 14, "old" * 14))

    answered, added = await both.ask(cookie(pair))

    assert answered == host
    ((_, line),) = added
    after = Shop(secrets=("new" * 14,))
    assert (await after.ask(cookie(line.partition(b";")[0])))[:2] == (host, [])


async def test_max_age_ends_a_value_and_renews_a_used_one() -> None:
    """A value is set anew in the second half of its time, and counts as none after its end."""
    shop = Shop(replace(PLAIN, affinity=Affinity(max_age=600.0)))
    host, pair = await shop.first()
    assert b"Max-Age=600" in (await shop.ask())[1][0][1]

    shop.now += 299
    assert await shop.ask(cookie(pair)) == (host, [])
    shop.now += 2
    answered, added = await shop.ask(cookie(pair))
    assert (answered, len(added)) == (host, 1)
    shop.now += 300
    assert len({(await shop.ask(cookie(pair)))[0] for _ in range(30)}) == 3


async def test_if_the_endpoint_is_gone_another_one_takes_over() -> None:
    """Redistribute: ejected or removed, the client moves once and gets a new value."""
    shop = Shop()
    host, pair = await shop.first()
    shop.eject(host)

    moved, added = await shop.ask(cookie(pair))
    ((_, line),) = added
    again = [await shop.ask(cookie(line.partition(b";")[0])) for _ in range(20)]

    assert moved != host
    assert again == [(moved, [])] * 20


async def test_refuse_answers_503_if_the_endpoint_is_gone() -> None:
    """The session is lost, and the client learns it; nothing is sent, and no breaker counts it."""
    shop = Shop(REFUSING)
    host, pair = await shop.first()
    shop.eject(host)

    with pytest.raises(AffinityLost) as caught:
        await shop.ask(cookie(pair))

    error = caught.value
    assert (error.status, error.code, error.is_sent) == (503, "affinity_lost", False)
    assert host not in str(error)
    assert host not in error.detail
    assert (await shop.ask())[0] != host


async def test_refuse_admits_no_other_endpoint_for_a_retry() -> None:
    """Also if the endpoint refuses the connection, or fails: the session is nowhere else."""
    shop = Shop(replace(REFUSING, retry=Retry(attempts=3)))
    host, pair = await shop.first()
    shop.scripts[host].then(fail(is_sent=False))

    with pytest.raises(TransportFailed):
        await shop.ask(cookie(pair))

    others = [len(shop.scripts[one].calls) for one in HOSTS if one != host]
    assert others == [0, 0]


async def test_a_retry_moves_the_client_to_the_endpoint_that_answered() -> None:
    """Redistribute: its own endpoint fails, another one answers and gets the client."""
    shop = Shop(replace(PLAIN, retry=Retry(attempts=2)))
    host, pair = await shop.first()
    shop.scripts[host].then(fail())

    moved, added = await shop.ask(cookie(pair))

    assert moved != host
    ((_, line),) = added
    assert (await shop.ask(cookie(line.partition(b";")[0])))[0] == moved


@pytest.mark.parametrize("options", [{"weight": 0}, {"priority": 1}], ids=["drained", "lowered"])
@pytest.mark.parametrize("policy", [PLAIN, REFUSING], ids=["redistribute", "refuse"])
async def test_a_drained_endpoint_serves_its_old_clients(options, policy) -> None:
    """Weight 0 or a lower priority: new clients go elsewhere, old ones stay until they leave."""
    shop = Shop(policy)
    host, pair = await shop.first()
    shop.open(policy, **{host: options})

    assert await shop.ask(cookie(pair)) == (host, [])
    assert host not in {(await shop.first())[0] for _ in range(30)}


@pytest.mark.parametrize("policy", [PLAIN, REFUSING], ids=["redistribute", "refuse"])
async def test_in_panic_the_endpoint_is_used_still(policy) -> None:
    """If too many are ejected, the fault is elsewhere, and clients stay where they are."""
    shop = Shop(policy)
    host, pair = await shop.first()
    shop.eject(*HOSTS)

    assert await shop.ask(cookie(pair)) == (host, [])


async def test_one_request_sets_one_value_however_many_calls_it_makes() -> None:
    """Calls at once may meet several endpoints; the first answer decides, later calls follow it."""
    shop = Shop()
    for number, host in enumerate(HOSTS):
        shop.scripts[host].then(reply(200, host, after=0.01 + 0.01 * number))
    scope = Scope(shop.bench.now + 60)
    carts = shop.carts.bind(scope)

    await asyncio.gather(*(carts.cart() for _ in range(10)))
    later = {await carts.cart() for _ in range(10)}

    ((_, line),) = scope.added
    assert len(later) == 1
    assert (await shop.ask(cookie(line.partition(b";")[0])))[0] in later


async def test_two_browsers_of_one_viewer_are_not_answered_by_one_call() -> None:
    """Equal calls at once belong to two endpoints: they are not coalesced."""
    shop = Shop(replace(PLAIN, coalesce=True))
    clients = dict([await shop.first() for _ in range(20)])

    answers = await asyncio.gather(*(shop.ask(cookie(pair)) for pair in clients.values()))

    assert [host for host, _ in answers] == list(clients)


async def test_a_call_without_a_request_has_no_affinity() -> None:
    """Background work goes wherever the balancer says."""
    shop = Shop(REFUSING)

    assert {await shop.carts.cart() for _ in range(30)} == set(HOSTS)


async def test_a_hedge_that_wins_gets_the_client() -> None:
    """The value names the endpoint whose reply the client got."""
    shop = Shop(replace(PLAIN, hedge=Hedge(minimum_calls=20)))
    for host in HOSTS:
        shop.scripts[host].then(reply(200, host, after=0.001))
    for _ in range(30):
        host, pair = await shop.first()
    shop.scripts[host].then(reply(200, host, after=5))

    answered, added = await shop.ask(cookie(pair))

    assert answered != host
    assert (await shop.ask(cookie(added[0][1].partition(b";")[0])))[0] == answered


def forwarded(*headers: tuple[bytes, bytes], **more) -> ForwardedRequest:
    return ForwardedRequest(
        method="GET", target="/x", audience="ada", is_streamed=False, client_headers=headers, **more
    )


async def test_a_forwarded_request_stays_with_its_endpoint() -> None:
    """The client's headers come with the request; the reply without a scope has the cookie."""
    shop = Shop()
    answer = await shop.carts.forward(forwarded((b"x", b"1")))
    (line,) = [value for name, value in answer.headers if name == b"set-cookie"]
    pair = line.partition(b";")[0]

    replies = [await shop.carts.forward(forwarded(cookie(pair))) for _ in range(20)]

    assert {one.content for one in replies} == {answer.content}
    assert all(name != b"set-cookie" for one in replies for name, _ in one.headers)


async def test_with_a_scope_the_answer_gets_the_value_of_a_forwarded_request() -> None:
    """It is added to the answer, where no rule for the service's cookies drops it."""
    shop = Shop()
    scope = Scope(shop.bench.now + 60)

    answer = await shop.carts.bind(scope).forward(forwarded((b"x", b"1")))

    assert len(scope.added) == 1
    assert all(name != b"set-cookie" for name, _ in answer.headers)


@pytest.mark.parametrize(
    ("affinity", "sent", "left"),
    [
        (Affinity(), [(b"cookie", b"a=1; __Host-endpoint-carts=v; b=2")],
         [(b"cookie", b"a=1; b=2")]),
        (Affinity(), [(b"cookie", b"__Host-endpoint-carts=v")], []),
        (Affinity(), [(b"cookie", b"x__Host-endpoint-carts=v")], None),
        (Affinity(by="header"), [(b"Endpoint-Carts", b"v"), (b"accept", b"*/*")],
         [(b"accept", b"*/*")]),
    ],
)  # fmt: skip
async def test_services_never_get_the_value(affinity, sent, left) -> None:
    """It is between the gateway and the client."""
    shop = Shop(replace(PLAIN, affinity=affinity))

    await shop.carts.forward(forwarded((b"x", b"1"), headers=tuple(sent)))

    (call,) = [call for script in shop.scripts.values() for call in script.calls]
    assert list(call.headers) == (sent if left is None else left)


async def test_cached_replies_set_no_value() -> None:
    """A reply from a cache has no endpoint, and a stored one has no client's value."""
    shop = Shop(replace(PLAIN, cache=Cache(ttl=60.0), public=True))

    _, added = await shop.ask()

    assert len(added) == 1


def test_affinity_needs_a_key() -> None:
    """The error says which variable to set."""
    with pytest.raises(ConfigurationError, match=r"carts: .*BFF_SECRET_AFFINITY"):
        AffinityValues(Affinity(), "carts", ())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"by": "ip"}, "by must be cookie or header"),
        ({"when_gone": "ignore"}, "when_gone must be redistribute or refuse"),
        ({"name": "a b"}, "name must be the name of a cookie or a header"),
        ({"name": "a=b"}, "name must be"),
        ({"name": "a;b"}, "name must be"),
        ({"name": "a\r\nb"}, "name must be"),
        ({"max_age": 0.0}, "max_age must be 1 to"),
    ],
)
def test_wrong_affinities_are_refused(wrong, message) -> None:
    """Each error names the option, and what it accepts."""
    with pytest.raises(ConfigurationError, match=message):
        Affinity(**wrong)


BY_HASH = Policy(retry=None, coalesce=False, balance=Balance(algorithm="hash"))


@pytest.mark.parametrize(
    ("hash_by", "one", "other"),
    [
        ("viewer", {"audience": "ada#1"}, {"audience": "ada#2"}),
        ("header:X-Tenant", {"headers": ((b"x-tenant", b"a"),)},
         {"headers": ((b"x-tenant", b"a"),), "audience": "bob"}),
        ("cookie:cart", {"headers": ((b"cookie", b"cart=7"),)},
         {"headers": ((b"cookie", b"x=1; cart=7"),)}),
        ("path", {"headers": ((b"x", b"1"),)}, {"audience": "bob"}),
    ],
)  # fmt: skip
async def test_hashing_leads_equal_requests_to_one_endpoint(hash_by, one, other) -> None:
    """Whatever else differs: a viewer with other rights, other cookies, another viewer."""
    shop = Shop(replace(BY_HASH, balance=replace(BY_HASH.balance, hash_by=hash_by)))

    answers = [
        await shop.carts.bind(Scope(shop.bench.now + 60, **request)).cart()
        for request in (one, other) * 15
    ]

    assert len(set(answers)) == 1


async def test_different_viewers_are_hashed_to_different_endpoints() -> None:
    """And viewers that are not signed in are spread by load."""
    shop = Shop(BY_HASH)

    async def called_by(audience: str) -> str:
        return await shop.carts.bind(Scope(shop.bench.now + 60, audience=audience)).cart()

    first = [await called_by(f"viewer {n}") for n in range(30)]
    assert set(first) == set(HOSTS)
    assert [await called_by(f"viewer {n}") for n in range(30)] == first
    assert {await called_by("anonymous") for _ in range(30)} == set(HOSTS)


async def test_a_retry_of_a_hashed_call_goes_to_the_next_endpoint_of_its_key() -> None:
    """The same one each time, so that its caches are warm, too."""
    shop = Shop(replace(BY_HASH, retry=Retry(attempts=2, budget_min=1000)))
    scope = {"audience": "ada"}
    own = await shop.carts.bind(Scope(shop.bench.now + 60, **scope)).cart()
    shop.scripts[own].then(fail())

    answers = {await shop.carts.bind(Scope(shop.bench.now + 60, **scope)).cart() for _ in range(4)}

    assert len(answers) == 1
    assert own not in answers
