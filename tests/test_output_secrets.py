"""The suite finds credentials in what its tests print and log."""

import pytest

from tests.output_secrets import credentials_in

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0xx.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "printed",
    [f"token={JWT}", "Authorization: Bearer 0123456789abcdef", "a canarytoken.abc here"],
)
def test_credentials_are_found(printed):
    """With the section in which they are."""
    (found,) = credentials_in([("Captured log call", printed), ("Captured stdout call", "fine")])

    assert found.startswith("Captured log call: ")


@pytest.mark.parametrize("printed", ["Authorization: ***", "Bearer ***", "Bearer $TOKEN", "eyJ.x"])
def test_what_stands_for_credentials_is_none(printed):
    """Masks and variables may be printed."""
    assert credentials_in([("Captured log call", printed)]) == []
