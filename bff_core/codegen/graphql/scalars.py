"""The Python types of scalars."""

from collections.abc import Mapping
from typing import Final

from bff_core.errors import ConfigurationError
from bff_core.extras import needs

with needs("graphql", "generating the operations of a GraphQL service"):
    from graphql import GraphQLScalarType

ANY: Final = "Any"

_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "str": (
        *(
            "String",
            "ID",
            "URL",
            "URI",
            "Url",
            "Uri",
            "EmailAddress",
            "Email",
            "Locale",
            "Currency",
        ),
        *("CountryCode", "HTML", "Html", "Markdown", "PhoneNumber", "Base64", "citext"),
    ),
    "int": (
        *("Int", "BigInt", "Long", "Int64", "Short", "Byte", "UnsignedInt", "PositiveInt"),
        *("NonNegativeInt", "bigint", "smallint"),
    ),
    "float": ("Float", "Double", "float8"),
    "bool": ("Boolean",),
    "dt.datetime": (
        *("DateTime", "DateTimeISO", "DateTimeISO8601", "ISO8601DateTime", "Instant", "Timestamp"),
        *("OffsetDateTime", "ZonedDateTime", "LocalDateTime", "timestamptz", "timestamp"),
    ),
    "dt.date": ("Date", "LocalDate", "ISO8601Date", "date"),
    "dt.time": ("Time", "LocalTime", "time", "timetz"),
    "dt.timedelta": ("Duration", "TimeDelta"),
    "UUID": ("UUID", "Uuid", "GUID", "Guid", "uuid"),
    "Decimal": ("Decimal", "BigDecimal", "numeric"),
    ANY: ("JSON", "Json", "JSONObject", "Object", "Any", "json", "jsonb", "_Any"),
    "None": ("Void",),
}

KNOWN: Final = {name: kind for kind, names in _TYPES.items() for name in names}
"""The types of scalars by name: those of the specification, and what servers usually add."""

_SPECIFIED: Final = {"rfc4122": "UUID", "rfc9562": "UUID", "rfc3339": "dt.datetime"}
"""The types of scalars that a known specification describes, by a part of its URL."""

MODULES: Final = {
    "dt.": "import datetime as dt",
    "UUID": "from uuid import UUID",
    "Decimal": "from decimal import Decimal",
    ANY: "from typing import Any",
}

TEXT_OR_NUMBER: Final = frozenset({"BigInt", "Long", "Int64", "bigint"})
"""Integers that some services send as text, since JavaScript's numbers are shorter."""


class Scalars:
    """The types of the scalars of a schema; `notes` are about those that are guessed."""

    def __init__(self, given: Mapping[str, str]) -> None:
        for name, kind in given.items():
            if not all(part.isidentifier() for part in kind.split(".")):
                raise ConfigurationError(
                    f"the scalar {name} has the type {kind!r}: name a builtin type, or one with "
                    "its module, such as decimal.Decimal"
                )
        self.given = given
        self.notes: dict[str, None] = {}

    def read(self, scalar: GraphQLScalarType) -> str:
        """Return the annotation of a scalar in a response."""
        name = scalar.name
        if name in self.given:
            return self.given[name]
        if name in TEXT_OR_NUMBER:
            self._note(f"{name} is read as a number; if the service sends text", name)
        if name in KNOWN:
            return KNOWN[name]
        url = (scalar.specified_by_url or "").lower()
        for part, kind in _SPECIFIED.items():
            if part in url:
                return kind
        self._note(f"the scalar {name} is read as any JSON value; to give it a type", name)
        return ANY

    def sent(self, scalar: GraphQLScalarType) -> str:
        """Return the annotation of a scalar in a variable."""
        kind = self.read(scalar)
        return "object" if kind == ANY else kind

    def _note(self, text: str, name: str) -> None:
        self.notes.setdefault(f"{text}, write `# scalar {name} = str` in a document.")
