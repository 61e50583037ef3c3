"""The query of a proxied request: byte for byte, but for the parameters that a route changes."""

from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote_plus

from bff_core.proxy.transform import Query
from bff_core.proxy.transforms.values import RequestValues, ValueTemplate

RewriteQuery = Callable[[str, RequestValues], str]
"""Takes the client's encoded query and the values of a request."""


def query_of(query: Query, parameters: Sequence[str], where: str) -> RewriteQuery:
    """Return the function that changes a query: allow, remove, set, append, in this order."""
    allowed = None if query.allow is None else frozenset(query.allow)
    removed = frozenset(query.remove)
    given = {
        name: ValueTemplate(text, parameters, f"{where}.set[{name!r}]")
        for name, text in query.set.items()
    }
    added = {
        name: ValueTemplate(text, parameters, f"{where}.append[{name!r}]")
        for name, text in query.append.items()
    }

    def rewrite(encoded: str, values: RequestValues) -> str:
        pairs = [pair for pair in encoded.split("&") if pair and stays(_name(pair))]
        for name, template in (*given.items(), *added.items()):
            text = template.fill(values)
            if text is not None:
                pairs.append(f"{_encoded(name)}={_encoded(text)}")
        return "&".join(pairs)

    def stays(name: str) -> bool:
        return (allowed is None or name in allowed) and name not in removed and name not in given

    return rewrite


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")
