"""Names of TypeScript that are valid, unique, and the same each time they are made."""

import re
from collections.abc import Iterable
from typing import Final

_TYPES = """
AbortController AbortSignal Array ArrayBuffer AsyncGenerator AsyncIterable AsyncIterator BigInt Blob
Boolean Buffer Date Error Exclude Extract File FormData Function Generator Headers Infinity Iterable
Iterator JSON Map Math NaN NonNullable Number Object Omit Partial Pick Promise PromiseLike Proxy
Readonly ReadonlyArray ReadonlyMap ReadonlySet Record Reflect RegExp Request Required Response Set
String Symbol TextDecoder TypeError URL Uint8Array WeakMap WeakSet
"""

_WORDS = """
any arguments as async await bigint boolean break case catch class const continue debugger default
delete do else enum eval export extends false finally for function globalThis if implements import
in infer instanceof interface intrinsic keyof let never new null number object of package private
protected public readonly return satisfies static string super switch symbol this throw true try
type typeof undefined unique unknown var void while with yield
"""

GLOBALS: Final = frozenset(_TYPES.split()) | frozenset(_WORDS.split())
"""Names that a type of ours must not hide, and words of the language."""

_OF_OBJECTS = """
constructor hasOwnProperty isPrototypeOf propertyIsEnumerable then toJSON toLocaleString toString
valueOf
"""

MEMBERS: Final = frozenset({"clearAnswers", "new", "progressive", *_OF_OBJECTS.split()})
"""Members of each client and of each object, and what would make it a promise or a class."""

_DECLARED: Final = re.compile(
    r"^(?:export )?(?:async )?(?:interface|type|class|const|let|function\*?) (\w+)", re.MULTILINE
)


def declared_in(source: str) -> frozenset[str]:
    """Return the names that TypeScript source declares at its top level."""
    return frozenset(_DECLARED.findall(source))


class Names:
    """Names of one scope: `take` returns a name that it has not returned before."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self._taken = set(reserved)

    def take(self, wanted: str, *alternatives: str) -> str:
        """Return the first of these names that is free, else the first with a number."""
        for one in (wanted, *alternatives):
            if one not in self._taken:
                self._taken.add(one)
                return one
        number = 2
        while f"{wanted}{number}" in self._taken:
            number += 1
        self._taken.add(f"{wanted}{number}")
        return f"{wanted}{number}"


def type_name(name: str) -> str:
    """Return a name as that of a type: `Body_post_checkout` is `BodyPostCheckout`."""
    words = _words(name)
    joined = "".join(one[0].upper() + one[1:] for one in words) or "Model"
    return joined if not joined[0].isdigit() else f"Model{joined}"


def method_name(name: str) -> str:
    """Return a name as that of a method: `get_home` is `getHome`."""
    first, *rest = _words(name) or ["call"]
    head = first.lower() if first.isupper() else first[0].lower() + first[1:]
    joined = head + "".join(one[0].upper() + one[1:] for one in rest)
    return joined if not joined[0].isdigit() else f"call{joined}"


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9]+", name)
