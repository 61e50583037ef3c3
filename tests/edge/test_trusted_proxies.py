"""Trusted proxies: only they may report the client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.auth.viewer import Viewer
from bff_core.edge.forwarded import Hop, believed, parse_forwarded, parse_x_forwarded, trust
from bff_core.edge.options import EdgeOptions
from bff_core.edge.trusted_proxies import GUARDED, IDENTITY, ORIGIN, TRACE, TrustedProxies
from bff_core.errors import ConfigurationError

PROXY = ("10.0.0.7", 4711)
STRANGER = ("203.0.113.9", 4711)
HOST = (b"host", b"shop.example")


class Behind:
    """A gateway behind trusted proxies."""

    def __init__(self, *, trusted=("10.0.0.0/8",), reads="x-forwarded", client_traces=False):
        self._hops = TrustedProxies(trusted=trusted, reads=reads, client_traces=client_traces)

    async def ask(self, *headers, client=PROXY, kind="http", scheme="http"):
        """Return the scope that an application gets."""
        scope = {
            "type": kind,
            "client": client,
            "scheme": scheme,
            "headers": [HOST, *headers],
        }
        self._hops.apply(scope)
        return scope


async def test_a_trusted_proxy_reports_the_client():
    """Address, scheme and host are those that the proxy saw; the headers are removed."""
    passed = await Behind().ask(
        (b"x-forwarded-for", b"198.51.100.4"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"www.shop.example"),
        (b"accept", b"*/*"),
    )

    assert passed["client"] == ("198.51.100.4", 0)
    assert passed["scheme"] == "https"
    assert passed["headers"] == [(b"accept", b"*/*"), (b"host", b"www.shop.example")]


async def test_another_peer_reports_nothing():
    """The same headers from another peer are removed, and change nothing."""
    passed = await Behind().ask(
        (b"x-forwarded-for", b"198.51.100.4"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"evil.example"),
        client=STRANGER,
    )

    assert passed["client"] == STRANGER
    assert passed["scheme"] == "http"
    assert passed["headers"] == [HOST]


async def test_entries_that_the_client_added_do_not_count():
    """The list is read from its end; entries before the first untrusted one do not count."""
    passed = await Behind().ask(
        (b"x-forwarded-for", b"10.9.9.9, 192.0.2.1, 198.51.100.4"),
        (b"x-forwarded-for", b"10.0.0.8"),
    )

    assert passed["client"][0] == "198.51.100.4"


async def test_the_fields_of_rfc_7239_are_read_where_the_hops_write_them():
    """With `forwarded="forwarded"` only `Forwarded` counts."""
    gateway = Behind(reads="forwarded")

    passed = await gateway.ask(
        (b"forwarded", b'for="[2001:db8::1]:4711";proto=https;host=shop.example, for=10.0.0.9'),
        (b"x-forwarded-for", b"192.0.2.1"),
    )

    assert passed["client"][0] == "2001:db8::1"
    assert passed["scheme"] == "https"


async def test_the_family_that_proxies_pass_on_does_not_count():
    """A proxy that sets X-Forwarded-For passes on a client's `Forwarded`."""
    passed = await Behind().ask((b"forwarded", b"for=192.0.2.1;proto=https"))

    assert passed["client"] == PROXY
    assert passed["scheme"] == "http"
    assert passed["headers"] == [HOST]


@pytest.mark.parametrize("entry", [b"unknown", b"_hidden", b"", b"fe80::1%eth0", b"1.2.3.4.5"])
async def test_an_entry_that_is_no_address_leaves_the_hop(entry):
    """If a proxy hides its client, the proxy counts as the client."""
    passed = await Behind().ask((b"x-forwarded-for", b"198.51.100.4, " + entry))

    assert passed["client"] == PROXY


async def test_a_websocket_becomes_a_secure_one():
    """Behind a proxy that terminates TLS, the scheme of a web socket is wss."""
    passed = await Behind().ask((b"x-forwarded-proto", b"https"), kind="websocket", scheme="ws")

    assert passed["scheme"] == "wss"


async def test_an_unknown_scheme_is_not_believed():
    """Other schemes than http and https are ignored."""
    passed = await Behind().ask((b"x-forwarded-proto", b"javascript"))

    assert passed["scheme"] == "http"


async def test_a_peer_of_a_unix_socket_may_be_a_hop():
    """A peer without address is trusted by "unix"."""
    passed = await Behind(trusted=("unix",)).ask((b"x-forwarded-for", b"192.0.2.1"), client=None)

    assert passed["client"][0] == "192.0.2.1"


async def test_identity_stays_readable_behind_a_trusted_hop():
    """A proxy that authenticates users may report them; a client may not."""
    who = (b"x-auth-request-email", b"ann@example.com")

    assert who in (await Behind().ask(who))["headers"]
    assert who not in (await Behind().ask(who, client=STRANGER))["headers"]


async def test_browsers_may_continue_a_trace_where_that_is_wanted():
    """With `client_traces` trace headers of any peer stay; headers about the user do not."""
    trace = (b"traceparent", b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01")
    open_to_traces = Behind(client_traces=True)

    passed = await open_to_traces.ask(trace, (b"x-user-id", b"u-1"), client=STRANGER)

    assert passed["headers"] == [HOST, trace]


spelled = st.builds(
    lambda name, hyphens: bytes(
        ord("_") if byte == ord("-") and hyphens >> place & 1 else byte
        for place, byte in enumerate(name)
    ),
    st.sampled_from(sorted(GUARDED)),
    st.integers(0, 2**40),
)


@given(st.lists(st.tuples(spelled, st.binary(max_size=30)), max_size=8))
async def test_no_other_peer_can_change_the_client(fields):
    """Whatever an untrusted peer sends, its address, scheme, host and trace are its own."""
    passed = await Behind().ask(*fields, client=STRANGER)

    assert passed["client"] == STRANGER
    assert passed["scheme"] == "http"
    assert passed["headers"] == [HOST]


class Believing:
    """An authenticator for gateways behind a proxy that authenticates users."""

    challenge = "Bearer"

    async def authenticate(self, scope):
        """Return the viewer that a header names."""
        names = [value for name, value in scope.headers if name.replace(b"_", b"-") in IDENTITY]
        return Viewer(names[0].decode("latin-1")) if names else None


wishes = st.one_of(
    st.floats(0, 1e6).map(lambda seconds: b"%.3f" % seconds),
    st.sampled_from([b"-1", b"inf", b"nan", b"1e9", b"", b"9999999999", b"0x10"]),
)
traces = st.builds(
    lambda trace, span: f"00-{trace:032x}-{span:016x}-01".encode(),
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
)


@given(
    st.lists(st.tuples(spelled, st.one_of(st.binary(max_size=30), traces)), max_size=8),
    st.none() | wishes,
)
async def test_no_other_peer_is_another_user_or_has_more_time(edged, answering, fields, wish):
    """The viewer is anonymous, the trace is new, and the deadline is not later."""
    scopes = []
    now = 100.0
    gateway = edged(answering(scopes=scopes), authenticator=Believing(), clock=lambda: now)
    wished = () if wish is None else ((b"request-timeout", wish),)

    await gateway.speak([(b"host", b"testserver"), *fields, *wished], client=STRANGER)

    for scope in scopes:
        assert scope.audience == "anonymous"
        assert now < scope.deadline <= now + 10.0
        assert scope.traceparent[3:35].encode() not in b"".join(value for _, value in fields)
        assert scope.headers == ((b"host", b"testserver"), *wished)
    assert scopes or gateway.status in {400, 504}


@given(st.lists(st.tuples(spelled, st.binary(max_size=30)), max_size=8))
async def test_no_header_of_a_trusted_proxy_breaks_the_edge(fields):
    """Whatever a proxy sends, headers about the client are removed, without an error."""
    passed = await Behind().ask(*fields)

    names = {name.replace(b"_", b"-") for name, _ in passed["headers"]}
    assert names.isdisjoint(ORIGIN)
    assert not any(b"_" in name for name, _ in passed["headers"])


@given(
    st.lists(
        st.sampled_from(["10.1.1.1", "10.2.2.2", "192.0.2.1", "198.51.100.4", "?"]), max_size=6
    )
)
def test_the_client_is_the_last_untrusted_address(chain):
    """Compared with a simple model: the last address that is no trusted proxy."""
    is_trusted = trust(["10.0.0.0/8"])
    expected = "10.0.0.7"
    for address in reversed(chain):
        if address == "?":
            break
        expected = address
        if not address.startswith("10."):
            break

    assert believed([Hop(one) for one in chain], "10.0.0.7", is_trusted).client == expected


def test_malformed_headers_report_nothing():
    """One malformed pair invalidates all `Forwarded` headers."""
    assert parse_forwarded([b"for=1.2.3.4, for=5.6.7.8;;"]) == []
    assert parse_forwarded([b"for=1.2.3.4;for=5.6.7.8"]) == []
    assert parse_forwarded([b'for="1.2.3.4']) == []


def test_values_are_aligned_at_the_hop_next_to_us():
    """Proxies append to the chain and mostly overwrite the scheme."""
    hops = parse_x_forwarded([b"192.0.2.1, 10.0.0.8"], [b"https"], [])

    assert hops == [Hop("192.0.2.1"), Hop("10.0.0.8", "https")]


def test_families_do_not_overlap():
    """Each header is in one list only, so that one rule applies."""
    assert not ORIGIN & IDENTITY
    assert not (ORIGIN | IDENTITY) & TRACE


def test_a_hop_that_is_no_address_is_refused():
    """The error names the variable and what is accepted."""
    with pytest.raises(ConfigurationError, match=r"'proxy' \(BFF_TRUSTED_PROXIES\)"):
        EdgeOptions(trusted_proxies=("proxy",))
