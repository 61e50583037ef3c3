"""The kinds of clients that a gateway can be generated for, and what each one starts with."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bff_core.cli.errors import CannotRun

CLIENTS = ("web", "mobile", "desktop", "ios", "android", "partner", "blank")
AUTHS = ("session", "bearer", "key", "none")


@dataclass(frozen=True, slots=True)
class Answers:
    """The options of a gateway; None is the default, or the answer of an earlier run."""

    client: str | None = None
    graphql: bool | None = None
    auth: str | None = None
    port: int | None = None


def with_defaults(answers: Answers, *, client: str) -> dict[str, object]:
    """Return the values of a new gateway; `client` is the default kind."""
    kind = one_of(answers.client or client, CLIENTS, "--client")
    default_auth = "key" if kind == "partner" else "none"
    return {
        "client": kind,
        "graphql": bool(answers.graphql),
        "auth": one_of(answers.auth or default_auth, AUTHS, "--auth"),
    }


def changed_values(answers: Answers) -> dict[str, object]:
    """Return the values that the options of a further run name."""
    given = {
        "client": answers.client and one_of(answers.client, CLIENTS, "--client"),
        "graphql": answers.graphql,
        "auth": answers.auth and one_of(answers.auth, AUTHS, "--auth"),
        "port": answers.port,
    }
    return {name: value for name, value in given.items() if value is not None}


def one_of(value: str, known: Sequence[str], option: str) -> str:
    """Return a value if it is known; raise `CannotRun` with a suggestion otherwise."""
    if value in known:
        return value
    close = get_close_matches(value, known, 1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise CannotRun(f"{option} {value!r} is not one of {', '.join(known)}{hint}")
