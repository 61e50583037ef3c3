"""Signatures of requests: octet for octet those of the standard."""

from base64 import b64decode

from bff_core.policy.upstream.signature import base, digest_field, parameters, sign

SHARED = b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)
COVERED = [
    ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("@authority", "example.com"),
    ("content-type", "application/json"),
]


def test_a_signature_is_that_of_the_standard() -> None:
    """The example of RFC 9421, appendix B.2.5."""
    params = parameters(COVERED, created=1618884473, key_id="test-shared-secret")

    assert base(COVERED, params).decode() == (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@authority": example.com\n'
        '"content-type": application/json\n'
        '"@signature-params": ("date" "@authority" "content-type")'
        ';created=1618884473;keyid="test-shared-secret"'
    )
    assert sign(SHARED, COVERED, params) == b":pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"


def test_a_digest_is_that_of_the_standard() -> None:
    """The example of RFC 9421, appendix B.2, by sha-256 (RFC 9530)."""
    assert digest_field(b'{"hello": "world"}') == (
        b"sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    )


def test_a_key_id_can_end_no_string() -> None:
    """Quotes and backslashes are escaped (RFC 9651, section 4.1.6)."""
    params = parameters([], created=1, key_id='a"b\\c')

    assert params == r'();created=1;keyid="a\"b\\c"'
