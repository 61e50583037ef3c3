"""`bff keys`: API keys are issued, listed, rotated and revoked."""

import json

import pytest

from bff_core_cli import completion


def test_a_key_lives_from_issue_to_revocation(tmp_path, bff):
    """A new key is printed once; its successor has the same grants, and a revoked one is gone."""
    store = ("--url", f"sqlite:///{tmp_path}/keys.sqlite3")
    named = ("--name", "CI", "--subject", "svc-1")
    made = json.loads(
        bff("keys", "issue", *named, "--scopes", "a,b", "--expires", "90d", "--json", *store).out
    )
    (listed,) = json.loads(bff("keys", "list", "--subject", "svc-1", "--json", *store).out)
    successor = json.loads(
        bff("keys", "rotate", made["prefix"], "--overlap", "1h", "--json", *store).out
    )
    revoked = bff("keys", "revoke", made["prefix"], *store)
    again = bff("keys", "revoke", made["prefix"], *store)
    left = json.loads(bff("keys", "list", "--json", *store).out)

    assert made["key"].startswith(f"bff_{made['prefix']}_")
    assert "key" not in listed
    assert listed["scopes"] == successor["scopes"] == ["a", "b"]
    assert listed["expires_at"] - listed["created_at"] == 90 * 86_400
    assert (revoked.status, again.status) == (0, 1)
    assert "There is no such key" in again.err
    assert [one["prefix"] for one in left] == [successor["prefix"]]


def test_only_the_key_is_printed_for_a_script(tmp_path, bff):
    """`KEY=$(bff keys issue ...)` holds the key, and the advice goes to the terminal."""
    store = ("--url", f"sqlite:///{tmp_path}/keys.sqlite3")
    done = bff(
        "keys", "issue", "--name", "CI", "--subject", "s", "--scope", "a", "--scope", "b,c", *store
    )
    listed = bff("keys", "list", *store)

    assert done.out.startswith("bff_")
    assert done.out.count("\n") == 1
    assert done.err == "Store the key now: it is shown this once.\n"
    assert "a b c" in listed.out
    assert done.out.strip() not in listed.out


def test_a_whole_key_names_itself(tmp_path, bff):
    """Someone who has the key need not cut out its prefix to revoke it."""
    store = ("--url", f"sqlite:///{tmp_path}/keys.sqlite3")
    key = bff("keys", "issue", "--name", "CI", "--subject", "s", *store).out.strip()

    assert bff("keys", "revoke", key, *store).status == 0


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("issue", "--name", "CI", "--subject", " "), (2, "the subject of an API key has to have")),
        (("issue", "--name", "CI", "--subject", "s", "--scope", "a b"), (2, "has no spaces")),
        (
            ("issue", "--name", "CI", "--subject", "s", "--expires", "90"),
            (2, "'90' is no duration"),
        ),
        (
            ("issue", "--name", "CI", "--subject", "s", "--expires", "99999999999d"),
            (2, "'99999999999d' is too long: give 36500d (100 years) at most"),
        ),
        (("rotate", "AAAAAAAA", "--overlap", "x"), (2, "'x' is no duration")),
        (("list",), (1, "there are no keys at")),
        (("list", "--url", "postgres://db"), (2, "'postgres://db' is no store")),
    ],
)
def test_a_wrong_word_is_explained(tmp_path, bff, monkeypatch, words, fault):
    """Each mistake gets one line that says what to write."""
    monkeypatch.setenv("BFF_API_KEYS_URL", f"sqlite:///{tmp_path}/keys.sqlite3")
    done, (status, complaint) = bff("keys", *words), fault

    assert (done.status, done.out) == (status, "")
    assert complaint in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "keys.sqlite3").exists() or words[0] == "issue"


def test_no_folder_is_made_for_a_store(tmp_path, bff):
    """A mistyped path is refused; a key in a store that nothing reads would be of no use."""
    url = f"sqlite:///{tmp_path}/vra/lib/keys.sqlite3"
    done = bff("keys", "issue", "--name", "CI", "--subject", "s", "--url", url)

    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"bff: there is no folder {tmp_path}/vra/lib for the store: make it")
    assert not (tmp_path / "vra").exists()


def test_the_store_is_that_of_a_gateway(tmp_path, bff, monkeypatch):
    """With --gateway the key is in the store which that gateway opens in development."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bff.gateways.partner]\napp = "shop:app"\nport = 8009\nabout = "for partners"\n'
        'env = { BFF_API_KEYS_URL = "sqlite:///partner.sqlite3" }\n'
    )
    monkeypatch.chdir(tmp_path)

    assert bff("keys", "issue", "--name", "x", "--subject", "s", "--gateway", "partner").status == 0
    assert (tmp_path / "partner.sqlite3").exists()
    assert completion.gateways("pa") == [("partner", "for partners")]
    assert completion.gateways("x") == []


def test_a_gateway_without_keys_gets_none(tmp_path, bff, monkeypatch):
    """A key that its gateway would refuse is not issued; the message says what is missing."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bff.gateways.mobile]\napp = "keyless_shop:mobile"\nport = 8002\n'
        '[tool.bff.gateways.partner]\napp = "keyless_shop:partner"\nport = 8009\n'
    )
    (tmp_path / "keyless_shop.py").write_text(
        "from bff_core import gateway\n"
        "from bff_core.auth import ApiKeyAuthenticator, FirstOf\n\n\n"
        "def mobile():\n    return gateway('mobile')\n\n\n"
        "def partner():\n"
        "    return gateway('partner', authenticator=FirstOf(ApiKeyAuthenticator()))\n"
    )
    monkeypatch.chdir(tmp_path)
    words = ("keys", "issue", "--name", "x", "--subject", "s", "--gateway")
    refused = bff(*words, "mobile")

    assert (refused.status, refused.out) == (2, "")
    assert "gateway mobile takes no API keys: give it ApiKeyAuthenticator()" in refused.err
    assert not [*tmp_path.glob("*.sqlite3")]
    assert bff(*words, "partner").status == 0
