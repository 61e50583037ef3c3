"""The options of connections, queries and the environment as their pages list them."""

import ast
import inspect
from dataclasses import MISSING, fields
from itertools import pairwise

from pydantic_core import PydanticUndefined

from bff_core.graphql import Limits
from bff_core.policy.connection import Connection
from bff_core.settings import Settings


def connection_rows() -> list[list[str]]:
    """Return name, default and sentence of each option of a connection."""
    told = _attribute_docstrings(Connection)
    return [[f"`{one.name}`", f"`{one.default!r}`", told[one.name]] for one in fields(Connection)]


def _attribute_docstrings(kind: type) -> dict[str, str]:
    """Return the first paragraph below each annotated attribute of a class."""
    body = ast.parse(inspect.getsource(kind)).body[0].body
    return {
        one.target.id: " ".join(inspect.cleandoc(told.value.value).partition("\n\n")[0].split())
        for one, told in pairwise(body)
        if isinstance(one, ast.AnnAssign) and isinstance(told, ast.Expr)
    }


def limit_rows() -> list[list[str]]:
    """Return name and default of each limit of a query."""
    return [[f"`{one.name}`", f"{one.default:,}"] for one in fields(Limits)]


def setting_rows() -> list[list[str]]:
    """Return variable, default and what is accepted of each setting."""
    return [
        [_variable(name), _default(field), field.description]
        for name, field in Settings.model_fields.items()
    ]


def _variable(name: str) -> str:
    return "`BFF_UPSTREAM_<NAME>`" if name == "upstreams" else f"`BFF_{name.upper()}`"


def _default(field) -> str:
    is_empty = field.default in {PydanticUndefined, MISSING, None, (), ""}
    if is_empty:
        return "—"
    is_flag = isinstance(field.default, bool)
    return f"`{str(field.default).lower() if is_flag else field.default}`"
