"""`GraphQLOptions`, how operations are generated, and `GeneratedGraphQL`, what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GraphQLOptions:
    """How the code for a GraphQL service is named, and which types its scalars have.

    `service` is the name of the user's class: the generated one is `<service>Operations`. `scalars`
    are the Python types of custom scalars: {"Money": "decimal.Decimal"}, in addition to those that
    comments of the documents declare. `schema` is the file of the pinned schema, for the first line
    of each file.
    """

    service: str
    scalars: Mapping[str, str] = field(default_factory=dict)
    schema: str = "schema.graphql"


@dataclass(frozen=True, slots=True)
class GeneratedGraphQL:
    """The text of each generated file, by its path in the service's package.

    `starters` are files that the user edits: they are written only if they do not exist yet.
    `notes` are what the user should know, each a sentence.
    """

    files: Mapping[str, str]
    starters: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
