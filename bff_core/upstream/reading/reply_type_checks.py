"""Start-up check of the reply types that an upstream's methods declare."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Final

from bff_core.errors import ConfigurationError
from bff_core.upstream.reading.options import Decoder, ReadingOptions
from bff_core.upstream.reading.reply_types import ReplyType

_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "ndjson"})
_GRAPHQL_VERBS: Final = frozenset({"query", "mutate"})
_FORMS: Final = (
    ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.BitOr, ast.Tuple, ast.List,
    ast.Constant, ast.Load,
)  # fmt: skip
"""The syntax nodes of type forms; expressions with other nodes are not evaluated."""


def check_reply_types(
    kind: type, decoders: Mapping[type, Decoder], *, is_graphql: bool = False
) -> None:
    """Raise `ConfigurationError` for a method that names a type which can't be decoded from JSON.

    The types are read from the source of calls such as `self.get("/users/{id}", Profile, …)`. A
    type that is computed or a parameter, and a method without source, are checked when called.
    """
    verbs = _VERBS | _GRAPHQL_VERBS if is_graphql else _VERBS
    options = ReadingOptions(decoders=tuple(decoders.items()))
    own = [one for one in kind.__mro__ if one.__module__.partition(".")[0] != "bff_core"]
    members = [member for one in own for member in vars(one).values()]
    for method in (one for one in members if isinstance(one, FunctionType)):
        for model in _named(inspect.unwrap(method), verbs):
            try:
                ReplyType(model, options)
            except NameError:  # a name that only type checkers have, or that is defined later
                continue
            except ConfigurationError as error:
                raise ConfigurationError(f"{kind.__name__}.{method.__name__}: {error}") from error


def _named(method: Callable[..., object], verbs: frozenset[str]) -> Iterator[object]:
    """Yield the reply types that a method's calls name."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
        known = inspect.getclosurevars(method)
    except (OSError, TypeError, SyntaxError):
        return
    names = {**known.builtins, **known.globals, **known.nonlocals}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) > 1 and _is_verb(node.func, verbs):
            written = node.args[-1]  # after the path, and the values of its parameters
            if not all(isinstance(one, _FORMS) for one in ast.walk(written)):
                continue
            try:
                model = eval(compile(ast.Expression(written), "<type>", "eval"), {}, names)  # noqa: S307 - names and subscripts of the author's own source
            except (NameError, AttributeError, TypeError):
                continue
            yield model


def _is_verb(function: ast.expr, verbs: frozenset[str]) -> bool:
    """Whether it is `self.get` or another verb of an upstream."""
    return (
        isinstance(function, ast.Attribute)
        and function.attr in verbs
        and isinstance(function.value, ast.Name)
        and function.value.id == "self"
    )
