"""Paths of calls to services: mistakes in braces are clear errors."""

import pytest

from bff_core import ConfigurationError
from bff_core.upstream.request_target import Template


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/a/{{x}}/{id}", "double braces"),
        ("/a/{{x}}", "%7B"),
        ("/a/{id", "expected '}'"),
        ("/a/id}", "Single '}'"),
        ("/{id}/{id}", r"has \{id\} twice"),
        ("/{id}/{id:path}", r"has \{id\} twice"),
    ],
)
def test_a_path_with_wrong_braces_is_refused(path: str, error: str) -> None:
    """The error quotes the path and says what to write."""
    with pytest.raises(ConfigurationError, match=error):
        Template(path)
