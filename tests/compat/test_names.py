"""Each library has each name that `bff_core/compat` imports from it."""

import ast

import pytest

from tests.compat.promises import COMPAT, DISTRIBUTIONS, broken, imported_names

MODULES = sorted(path for path in COMPAT.glob("*.py") if path.name != "__init__.py")

NAMES = [name for path in MODULES for name in imported_names(ast.parse(path.read_text()))]


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_a_library_has_a_name_that_compat_imports(name):
    """After an upgrade, each name that is gone or moved is reported by itself."""
    assert broken(name) == ""


def test_a_missing_name_is_reported_with_the_version():
    """The report names the library, its version and what it lacks: a module or a name in one."""
    assert broken("starlette._utils.no_such_function").endswith(
        " has no starlette._utils.no_such_function"
    )
    assert broken("fastapi._no_such_module.name").startswith("fastapi 0.")


def test_every_library_has_a_module_of_its_own():
    """All libraries whose private names are used are found by file name."""
    named = {path.stem.partition("_")[0] for path in MODULES}

    assert named == {package for package in DISTRIBUTIONS if package != "pydantic_core"}


def test_the_names_are_those_that_are_meant():
    """The list is not empty by a mistake of the test: it has the best known of them."""
    assert {
        "fastapi._compat.ModelField",
        "fastapi.dependencies.utils.get_dependant",
        "graphql.language.parser.Parser",
        "joserfc.jws.JWSRegistry",
        "redis.asyncio.connection.AbstractConnection",
        "starlette._utils.get_route_path",
        "strawberry.utils.str_converters.to_camel_case",
        "uvicorn.server.ServerState",
    } <= set(NAMES)
