"""Each library whose private names are used has a lowest version, and one below which it ends."""

import re
import tomllib
from importlib.metadata import version
from itertools import chain

import pytest

from tests.compat.promises import DISTRIBUTIONS, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

RANGES = {
    re.match(r"[\w-]+", one)[0]: re.sub(r"^[\w-]+(\[\w+\])?", "", one)
    for one in chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
}


def parts(text: str) -> tuple[int, ...]:
    """Return a version as numbers that compare."""
    return tuple(int(one) for one in text.split("."))


@pytest.mark.parametrize("name", sorted(set(DISTRIBUTIONS.values()) - {"pydantic-core"}))
def test_a_library_has_a_floor_and_a_cap(name):
    """Nothing is installed that was never tried; pydantic pins pydantic-core itself."""
    found = re.fullmatch(r">=([\d.]+),<([\d.]+)", RANGES[name])

    assert found is not None, f"{name}{RANGES[name]}"
    assert parts(found[1]) <= parts(version(name)) < parts(found[2])
