"""Signed messages: who may be believed, and for how long."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.policy.edge.webhook_signature import (
    MAX_REMEMBERED_MESSAGES,
    MAX_SKEW_SECONDS,
    SignatureVerifier,
    SignedMessage,
    key_of,
    sign,
)

OLD, NEW = "the-secret-of-last-year", "the-secret-of-this-year"
NOW = 1_800_000_000.0
BODY = b'{"tags": ["product:42"]}'


def signed(
    body: bytes = BODY, *, secret: str = NEW, name: bytes = b"msg_1", at: float = NOW
) -> SignedMessage:
    timestamp = b"%d" % at
    return SignedMessage(name, timestamp, sign(key_of(secret), name, timestamp, body))


def is_new(signatures: SignatureVerifier, message: SignedMessage, body: bytes, now: float) -> bool:
    if signatures.is_replay(message, body, now):
        return False
    signatures.remember(message, body)
    return True


def test_the_signature_is_that_of_the_standard() -> None:
    """It equals the example of Standard Webhooks byte for byte."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'

    found = sign(key, b"msg_p5jXN8AQM9LWM0D4loKWxJek", b"1614265330", body)

    assert found == b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_text_or_bytes_in_base64() -> None:
    """A script signs with the text itself; libraries sign with the bytes after `whsec_`."""
    assert key_of("the-secret") == b"the-secret"
    assert key_of("whsec_" + b64encode(b"\x00\xff" * 12).decode()) == b"\x00\xff" * 12
    with pytest.raises(ValueError, match="base64"):
        key_of("whsec_%%%")


def test_old_and_new_secrets_are_accepted_during_a_rotation() -> None:
    """Gateways get the new secret first; senders change one after the other."""
    both, only = SignatureVerifier([NEW, OLD]), SignatureVerifier([NEW])

    assert both.match(signed(secret=OLD), BODY)
    assert both.match(signed(secret=NEW), BODY)
    assert not only.match(signed(secret=OLD), BODY)


def test_a_sender_may_sign_with_several_secrets() -> None:
    """One valid `v1` signature is enough; other versions are ignored."""
    one = signed()
    several = SignedMessage(one.id, one.timestamp, b"v1a,AAAA v1,AAAA " + one.signatures)

    assert SignatureVerifier([NEW]).match(several, BODY)
    assert not SignatureVerifier([NEW]).match(
        SignedMessage(one.id, one.timestamp, one.signatures.removeprefix(b"v1,")), BODY
    )


@given(st.integers(0, 2), st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_message_is_not_valid(part: int, at: int, by: int) -> None:
    """Id, timestamp and body are signed together."""
    one = signed()
    pieces = [bytearray(one.id), bytearray(one.timestamp), bytearray(BODY)]
    piece = pieces[part]
    piece[at % len(piece)] ^= by
    name, timestamp, body = map(bytes, pieces)

    assert SignatureVerifier([NEW]).match(one, BODY)
    assert not SignatureVerifier([NEW]).match(SignedMessage(name, timestamp, one.signatures), body)


@pytest.mark.parametrize(
    ("off", "is_recent"),
    [
        (0, True),
        (-MAX_SKEW_SECONDS, True),
        (MAX_SKEW_SECONDS, True),
        (-MAX_SKEW_SECONDS - 1, False),
        (MAX_SKEW_SECONDS + 1, False),
    ],
)
def test_a_message_is_accepted_for_five_minutes(off: float, is_recent: bool) -> None:
    """Clocks may differ by that; an older message may be a replay."""
    assert signed(at=NOW + off).is_recent(NOW) is is_recent


@pytest.mark.parametrize(
    ("name", "timestamp"),
    [
        (b"", b"1"),
        (b"a b", b"1"),
        (b"x" * 257, b"1"),
        (b"a", b""),
        (b"a", b"1.5"),
        (b"a", b"-1"),
        (b"a", b"9" * 13),
        (b"a", "\u0661".encode()),
    ],
)
def test_a_malformed_message_is_refused(name: bytes, timestamp: bytes) -> None:
    """An id has 256 visible characters at most; a timestamp is a whole number of seconds."""
    assert not SignedMessage(name, timestamp, b"v1,AAAA").is_well_formed


def test_a_replay_is_detected_while_its_timestamp_is_accepted() -> None:
    """The same message is refused until its timestamp is too old anyway."""
    signatures, early = SignatureVerifier([NEW]), signed(at=NOW + MAX_SKEW_SECONDS)

    assert is_new(signatures, early, BODY, NOW)
    assert not is_new(signatures, early, BODY, NOW + 1)
    assert not is_new(signatures, early, BODY, NOW + 2 * MAX_SKEW_SECONDS)
    assert not early.is_recent(NOW + 2 * MAX_SKEW_SECONDS + 1)


def test_two_messages_with_one_id_are_both_accepted() -> None:
    """A sender that reuses ids must not lose a purge."""
    signatures = SignatureVerifier([NEW])

    assert is_new(signatures, signed(), BODY, NOW)
    assert is_new(signatures, signed(at=NOW + 1), BODY, NOW)
    assert is_new(signatures, signed(b"{}"), b"{}", NOW)


def test_the_remembered_messages_are_bounded() -> None:
    """Beyond the bound the oldest are forgotten; their replay would only purge again."""
    signatures = SignatureVerifier([NEW])
    first = signed(name=b"first")

    assert is_new(signatures, first, BODY, NOW)
    for number in range(MAX_REMEMBERED_MESSAGES):
        assert is_new(signatures, signed(name=b"%d" % number), BODY, NOW)

    assert len(signatures._received) == MAX_REMEMBERED_MESSAGES
    assert is_new(signatures, first, BODY, NOW)


def test_expired_messages_are_forgotten() -> None:
    """Memory does not hold the messages of a day."""
    signatures = SignatureVerifier([NEW])
    for number in range(100):
        is_new(signatures, signed(name=b"%d" % number), BODY, NOW)

    is_new(signatures, signed(at=NOW + 2 * MAX_SKEW_SECONDS), BODY, NOW + 2 * MAX_SKEW_SECONDS)

    assert len(signatures._received) == 1
