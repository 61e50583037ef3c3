"""Viewers: who asks, and the key of what only they may see."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bff_core.auth.viewer import ANONYMOUS, Viewer
from bff_core.errors import NotAllowed, NotAuthenticated
from bff_core.scope import Scope, Wired

NAMES = st.text("ab:1\n", max_size=4)
VIEWERS = st.builds(Viewer, subject=NAMES, tenant=NAMES)


@given(VIEWERS, VIEWERS)
@example(Viewer("b:c", tenant="a"), Viewer("c", tenant="a:b"))
def test_two_viewers_share_a_key_only_if_they_are_one(one, other):
    """No tenant and subject can be spelt so that they read like another pair."""
    is_same = (one.is_anonymous and other.is_anonymous) or one == other

    assert (one.audience == other.audience) == is_same


def test_nobody_can_be_called_anonymous():
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
    """Nobody is a 401, somebody is handed back for the next word."""
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
