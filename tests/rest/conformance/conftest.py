"""Lets the shared assertions of this suite say what differs."""

import pytest

pytest.register_assert_rewrite("tests.rest.conformance.three_ways")
