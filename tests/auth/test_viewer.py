"""Viewers: their scopes and rights, and the cache key of data that only they may get."""

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
from bff_core.auth.authenticator import Authenticator, issuer_of
from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.viewer import ANONYMOUS, Viewer
from bff_core.errors import NotAllowed, NotAuthenticated
from bff_core.scope import Scope, Wired

NAMES = st.text("ab:1\n", max_size=4)
GRANTS = st.frozensets(st.sampled_from(["a", "b", "a b"]), max_size=2)
VIEWERS = st.builds(Viewer, subject=NAMES, tenant=NAMES, issuer=NAMES, scopes=GRANTS, roles=GRANTS)


@given(VIEWERS, VIEWERS)
@example(Viewer("b:c", tenant="a"), Viewer("c", tenant="a:b"))
@example(Viewer("b:1", issuer="a"), Viewer("b", issuer="1:a"))
@example(Viewer("b", scopes=frozenset({"a"})), Viewer("b", roles=frozenset({"a"})))
@example(Viewer("b", issuer=Viewer("b", roles=frozenset({"a"})).audience), Viewer("b"))
def test_two_viewers_share_a_key_only_if_they_are_one(one, other):
    """No issuer, tenant and subject can be spelt so that they read like others; rights count."""
    is_same = (one.is_anonymous and other.is_anonymous) or one == other

    assert (one.audience == other.audience) == is_same


@given(VIEWERS, VIEWERS)
def test_two_viewers_share_limits_and_keys_only_if_they_are_one_person(one, other):
    """With any rights, and from any sign-in."""
    whole = [(viewer.subject, viewer.tenant, viewer.issuer) for viewer in (one, other)]
    is_same = (one.is_anonymous and other.is_anonymous) or whole[0] == whole[1]

    assert (one.identity == other.identity) == is_same


@dataclass(frozen=True)
class Customer(Viewer):
    """A viewer with rights of the author's own."""

    plan: str = ""
    allowed: list[str] = field(default_factory=list)
    note: str = field(default="", compare=False)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (Viewer("7"), Viewer("7", session="s", client="c", criticality="sheddable"), True),
        (Viewer("7"), Viewer("8", "acme", issuer="b"), True),
        (Viewer("7", scopes=frozenset("ab")), Viewer("7", scopes=frozenset("ba")), True),
        (Viewer("7", scopes=frozenset("a")), Viewer("7"), False),
        (Viewer("7", scopes=frozenset("a")), Viewer("7", scopes=frozenset("ab")), False),
        (Viewer("7", roles=frozenset({"staff"})), Viewer("7"), False),
        (Customer("7", plan="gold"), Customer("7"), False),
        (Customer("7", allowed=["a"]), Customer("7", allowed=["b"]), False),
        (Customer("7", allowed=["a"]), Customer("7", allowed=["a"]), True),
        (Customer("7", note="a"), Customer("7", note="b"), False),
    ],
)
def test_rights_are_what_a_viewer_may_do(one, other, is_same):
    """Not who it is, and not by which login; a field that a subclass adds counts as a right."""
    assert (one.rights == other.rights) == is_same


def test_an_issuer_is_filled_in_where_there_is_none():
    """And nothing else is changed, also of a class that compares by fewer fields than it has."""
    known, gold = Viewer("7", issuer="https://id.example"), Customer("7", plan="gold", note="n")

    assert known.issued_by("other") is known
    assert ANONYMOUS.issued_by("other") is ANONYMOUS
    assert gold.issued_by("demo") == Customer("7", plan="gold", issuer="demo")
    assert gold.issued_by("demo").note == "n"
    assert gold.issuer == ""


def test_no_viewer_has_the_key_of_anonymous_callers():
    """A user whose id is 'anonymous' does not share the anonymous callers' answers."""
    assert Viewer("anonymous").audience != ANONYMOUS.audience


def test_an_anonymous_key_is_not_the_public_one():
    """None is reserved for what was declared public."""
    assert ANONYMOUS.audience == "anonymous"


def test_a_composition_is_handed_the_viewer_by_type():
    """The viewer is wired like a locale: from the scope."""
    viewer = Viewer("7")

    assert isinstance(Viewer, Wired)
    assert Viewer.from_scope(Scope(0.0, viewer=viewer)) is viewer
    assert Viewer.from_scope(Scope(0.0)).is_anonymous


def test_a_screen_can_require_somebody():
    """`require` raises 401 for an anonymous viewer, and returns a signed-in one."""
    viewer = Viewer("7")

    assert viewer.require().subject == "7"
    with pytest.raises(NotAuthenticated):
        ANONYMOUS.require()


def test_a_screen_can_require_a_grant():
    """A viewer without the scope is a 403 that names it."""
    viewer = Viewer("7", scopes=frozenset({"orders:read"}))

    assert viewer.require("orders:read") is viewer
    with pytest.raises(NotAllowed, match="orders:write"):
        viewer.require("orders:read", "orders:write")


@pytest.mark.parametrize(
    ("authenticator", "issuer"),
    [
        (ApiKeyAuthenticator(), "bff_core.auth.api_keys.authenticator.ApiKeyAuthenticator"),
        (DemoAuthenticator(env="test"), "bff_core.auth.demo.DemoAuthenticator"),
    ],
)
def test_stored_issuers_stay_the_same(authenticator: Authenticator, issuer: str) -> None:
    """Journals and stored answers name the issuer of a viewer, and a new release reads them."""
    assert issuer_of(authenticator) == f"authenticator:{issuer}"


@pytest.mark.parametrize("name", ["scopes", "roles"])
@pytest.mark.parametrize("rights", ["orders:write admin", b"orders", 7, None, [7], ["a", None]])
def test_rights_that_are_no_set_of_texts_are_refused(name: str, rights: object) -> None:
    """A text would admit by its substrings: `"write" in "overwrite"`."""
    with pytest.raises(TypeError, match=rf"Viewer\.{name} is a set of strings"):
        Viewer("7", **{name: rights})


@pytest.mark.parametrize("rights", [["a", "b"], ("a", "b"), {"a", "b"}, iter(["a", "b"])])
def test_rights_become_a_frozen_set(rights: object) -> None:
    """So that a viewer is hashable, and what it may do does not change."""
    assert Viewer("7", scopes=rights).scopes == frozenset({"a", "b"})


@pytest.mark.parametrize("subject", [None, 7, b"7"])
def test_a_subject_is_a_text(subject: object) -> None:
    """Identities are compared as texts."""
    with pytest.raises(TypeError, match="subject is a str"):
        Viewer(subject)
