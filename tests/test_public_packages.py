"""The public packages: what they list, what they load, and that nothing else is needed."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.public_api import PACKAGES, exported, private_imports

ROOT = Path(__file__).parents[1]
AUTH = ROOT / "bff_core" / "auth" / "__init__.py"

LOADED_LATER = {"bff_core.testing", "cryptography", "graphql", "httpx", "joserfc", "strawberry"}
"""What `import bff_core` does not load: a gateway without it starts sooner."""


def python(code: str) -> str:
    """Run code in an interpreter of its own and return what it prints."""
    command = (sys.executable, "-c", code)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def imported(tree: ast.AST) -> dict[str, str]:
    """Return the module of each name that a syntax tree imports from the framework."""
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bff_core.")
        for alias in node.names
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_public_package_lists_its_names_once_and_sorted(package):
    """Each name is found at one place of the list, and the package has it."""
    names, module = exported(package), importlib.import_module(package)

    assert names
    assert names == sorted(set(names))
    assert [name for name in names if not hasattr(module, name)] == []
    assert set(names) <= set(dir(module))


@pytest.mark.parametrize("package", [one for one in PACKAGES if one != "bff_core.errors"])
def test_a_public_package_lists_all_that_it_imports(package):
    """Nothing is public by accident: what a package imports it also lists."""
    file = importlib.import_module(package).__file__
    assert file
    found = imported(ast.parse(Path(file).read_text()))

    assert set(found) - {"needs", "publish"} == set(exported(package))


def test_every_error_of_the_module_is_listed():
    """An error that an application may catch is in the list."""
    errors = importlib.import_module("bff_core.errors")
    kinds = {
        name
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, errors.BFFError)
    }

    assert kinds == set(errors.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_all_names_are_imported_with_a_star(package):
    """`from package import *` brings the listed names and no others."""
    found: dict[str, object] = {}
    exec(f"from {package} import *", found)

    assert sorted(set(found) - {"__builtins__"}) == exported(package)


def test_names_that_are_imported_later_are_those_that_type_checkers_read():
    """An editor and the interpreter agree where a name of `bff_core.auth` comes from."""
    auth = importlib.import_module("bff_core.auth")
    [block] = [one for one in ast.parse(AUTH.read_text()).body if isinstance(one, ast.If)]

    assert imported(block) == {
        name: f"bff_core.auth.{module}" for name, module in auth._MODULES.items()
    }
    assert [name for name in auth._MODULES if getattr(auth, name).__name__ != name] == []


def test_a_wrong_name_is_an_import_error():
    """A typing mistake is reported as in every other package."""
    auth = importlib.import_module("bff_core.auth")

    with pytest.raises(AttributeError, match=r"module 'bff_core\.auth' has no attribute 'Nope'"):
        auth.Nope  # noqa: B018 # the access is what fails
    with pytest.raises(ImportError, match=r"cannot import name 'Nope' from 'bff_core\.auth'"):
        exec("from bff_core.auth import Nope")


@pytest.mark.slow
def test_importing_the_framework_loads_no_library_that_few_need():
    """A gateway without tokens, sessions or GraphQL does not wait for their libraries."""
    loaded = python("import bff_core, sys; print(*sys.modules)").split()

    assert "bff_core.auth" in loaded
    assert LOADED_LATER.isdisjoint(loaded)


@pytest.mark.slow
def test_an_authenticator_loads_what_it_needs():
    """API keys need no library for signatures; access tokens do, and it is loaded with them."""
    code = "import sys; from bff_core.auth import {}; print('joserfc' in sys.modules)"

    assert python(code.format("ApiKeyAuthenticator")).strip() == "False"
    assert python(code.format("BearerAuthenticator")).strip() == "True"


def test_the_reference_application_imports_from_public_packages():
    """Gateways, screens and services are written with what every user has."""
    sources = sorted((ROOT / "bffs").rglob("*.py"))
    private = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources
        for name in private_imports(path.read_text())
    }

    assert len(sources) > 30
    assert private == set()


def test_examples_in_docstrings_import_from_public_packages():
    """What one copies from a docstring works, and goes on working."""
    packages = {
        package
        for path in (ROOT / "bff_core").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for package in re.findall(r"(?:from|import) (bff_core[\w.]*)", node.value)
    }

    assert packages - set(PACKAGES) == set()


def test_a_private_import_is_found():
    """A module, a name that is not listed, and a package that is not public are each reported."""
    source = (
        "import bff_core, bff_core.edge\n"
        "from bff_core import Policy, errors, edge\n"
        "from bff_core.auth import Issuer, jwt\n"
        "from bff_core.auth.bearer import BearerAuthenticator\n"
    )

    assert list(private_imports(source)) == [
        "bff_core.edge",
        "bff_core.edge",
        "bff_core.auth.jwt",
        "bff_core.auth.bearer.BearerAuthenticator",
    ]
