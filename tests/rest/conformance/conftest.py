"""Lets the shared assertions of this suite explain their differences."""

import pytest

pytest.register_assert_rewrite("tests.rest.conformance.three_ways")
