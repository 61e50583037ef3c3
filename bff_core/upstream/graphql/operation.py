"""Which operation does a GraphQL document have? Its kind and its name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal

from bff_core.errors import ConfigurationError

Kind = Literal["query", "mutation"]

_tokens: Final = re.compile(
    r'"""(?:\\"""|(?!""").)*"""|"(?:\\.|[^"\\\r\n])*"|#[^\r\n]*|[{}()\[\]]|[_A-Za-z][_0-9A-Za-z]*',
    re.DOTALL,
).finditer

MAX_SHOWN_CHARACTERS: Final = 60

_NO_KIND: Final = "begins with neither query nor mutation"
_WRONG_KIND: Final = {
    "query": "is a query: call self.query(...)",
    "mutation": "is a mutation: call self.mutate(...)",
    "subscription": "is a subscription, which upstreams can't make: read it with a query",
}


@dataclass(frozen=True, slots=True)
class GraphQLOperation:
    """The one operation of a document; `digest` is the SHA-256 of the text."""

    kind: Kind
    name: str
    document: str
    digest: str

    @property
    def label(self) -> str:
        """The name of its calls in events: "query Product"."""
        return f"{self.kind} {self.name}"


@lru_cache(maxsize=4096)
def operation_of(document: str, kind: Kind) -> GraphQLOperation:
    """Return the operation of a document, from a cache: documents are literals in code, so few.

    Raises `ConfigurationError` unless the document has exactly one operation, of this kind and with
    a name.
    """
    shown = " ".join(document.split())[:MAX_SHOWN_CHARACTERS]
    found = [one for one in _definitions(document) if one[0] != "fragment"]
    if len(found) != 1:
        raise ConfigurationError(
            f"the document {shown!r} has {len(found) or 'no'} operations: pass one query or "
            "mutation, with the fragments that it uses"
        )
    keyword, name = found[0]
    if keyword != kind:
        raise ConfigurationError(f"the document {shown!r} {_WRONG_KIND.get(keyword, _NO_KIND)}")
    if not name:
        raise ConfigurationError(
            f"the document {shown!r} has an operation without a name: name it, as in "
            f"`{kind} Product {{ … }}`; events and metrics are grouped by the name"
        )
    digest = sha256(document.encode()).hexdigest()
    return GraphQLOperation(kind, name, document, digest)


def name_of(document: str) -> str:
    """Return the name of the first operation of a document; empty if it has none."""
    return next((name for kind, name in _definitions(document) if kind != "fragment"), "")


def _definitions(document: str) -> Iterator[tuple[str, str]]:
    """Yield the keyword and the name of each definition; "query" and no name for `{ … }`."""
    depth = 0
    words: list[str] = []
    for match in _tokens(document):
        text = match[0]
        if text in "{([":
            if text == "{" and depth == 0:
                yield _named(words)
                words = []
            depth += 1
        elif text in "})]":
            depth -= 1
        elif depth == 0 and text[0] not in '"#':
            is_name_of_directive = document[: match.start()].rstrip().endswith("@")
            if not is_name_of_directive:
                words.append(text)


def _named(words: list[str]) -> tuple[str, str]:
    keyword, name = [*words, "", ""][:2]
    return keyword or "query", name
