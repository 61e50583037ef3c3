"""Texts that look right: by the format of a schema, and by the name of a property."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from bff_core.contracts.types import Json, Scalar, Type
from bff_core.mocks.limits import MAX_LETTERS, count_of
from bff_core.mocks.patterns import text_matching

TRIES: Final = 50
"""Attempts to satisfy a pattern or a format and the limits of length at once."""

FIRST_NAMES: Final = ("Ada", "Bruno", "Chiara", "Daniel", "Elif", "Farid", "Grace", "Hana", "Ivan")
LAST_NAMES: Final = ("Abara", "Berg", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haddad")
NOUNS: Final = ("tent", "jacket", "lamp", "bottle", "backpack", "stove", "blanket", "kettle", "map")
ADJECTIVES: Final = ("Light", "Warm", "Small", "Sturdy", "Blue", "Green", "Classic", "Compact")
CITIES: Final = ("Lisbon", "Hamburg", "Lyon", "Turin", "Malmö", "Cork", "Graz", "Ghent")
STREETS: Final = ("Mill Lane", "Station Road", "Park Street", "High Street", "Lake Avenue")
COUNTRIES: Final = ("PT", "DE", "FR", "IT", "SE", "IE", "AT", "BE")
COMPANIES: Final = ("North & Co.", "Hillside Ltd.", "Harbour GmbH", "Meadow Inc.")
SENTENCES: Final = (
    "It does what it should, and lasts.",
    "Made for long days outside.",
    "Better than expected.",
    "A good choice for beginners.",
    "Arrived on time, and works well.",
)
COLOURS: Final = ("#4a5a6a", "#dde3ea", "#b5533c", "#2f6f4f", "#e0b040")

START: Final = datetime(2026, 1, 1, 8, tzinfo=UTC)
DAYS: Final = 300
"""Moments that are made up are within so many days after the start."""


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, in lower case: `createdAt`, `created_at` and `Created-At`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[a-z0-9]+", spaced.lower()))


def text_of_type(
    kind: Scalar, name: str, random: Random, is_valid: Callable[[Type, Json], bool]
) -> str:
    """Return a text for a property: by format or pattern within the lengths, else by its name."""
    low = count_of(kind.limits, "minLength", MAX_LETTERS) or 0
    high = count_of(kind.limits, "maxLength", MAX_LETTERS)
    most = MAX_LETTERS if high is None else max(high, low)
    formatted = None
    for _ in range(TRIES):
        formatted = text_of_format(kind.format, name, random)
        if formatted is None:
            break
        if low <= len(formatted) <= most and is_valid(kind, formatted):
            return formatted
    pattern, steps = kind.limits.get("pattern"), count()
    for number in range(TRIES) if isinstance(pattern, str) else ():
        text = text_matching(str(pattern), random, steps, repeats=low if number % 2 else 0)
        if text is not None and low <= len(text) <= most:
            return text
    return formatted or text_of_name(name, random).ljust(low, "x")[:most]


def text_of_format(kind: str, name: str, random: Random) -> str | None:
    """Return a text of a format, such as `date-time`; None for a format that is not known."""
    host = f"{random.choice(NOUNS)}.example"
    moment = START + timedelta(seconds=random.randrange(DAYS * 86_400))
    known: dict[str, Callable[[], str]] = {
        "date-time": lambda: moment.isoformat().replace("+00:00", "Z"),
        "date": lambda: moment.date().isoformat(),
        "time": lambda: f"{moment.time().isoformat()}Z",
        "duration": lambda: f"PT{random.randint(1, 48)}H",
        "uuid": lambda: str(uuid.UUID(int=random.getrandbits(128), version=4)),
        "email": lambda: _email(random),
        "idn-email": lambda: _email(random),
        "uri": lambda: _address(name, random),
        "url": lambda: _address(name, random),
        "iri": lambda: _address(name, random),
        "uri-reference": lambda: f"/{random.choice(NOUNS)}s/{random.randint(1, 99)}",
        "uri-template": lambda: "https://example.com/{id}",
        "hostname": lambda: host,
        "idn-hostname": lambda: host,
        "ipv4": lambda: f"192.0.2.{random.randint(1, 254)}",
        "ipv6": lambda: f"2001:db8::{random.randint(1, 0xFFFF):x}",
        "byte": lambda: "aGVsbG8=",
        "base64": lambda: "aGVsbG8=",
        "password": lambda: f"{random.choice(NOUNS)}-{random.randint(1000, 9999)}",
        "json-pointer": lambda: "/items/0",
        "regex": lambda: "^[a-z]+$",
        "decimal": lambda: f"{random.randint(1, 99)}.{random.randint(0, 99):02}",
    }
    return known[kind]() if kind in known else None


def text_of_name(name: str, random: Random) -> str:
    """Return a text for a property, by the words of its name; a noun for one that is not known."""
    words = words_of(name)
    last = words[-1] if words else ""
    for known, make in _BY_NAME:
        if last in known or " ".join(words[-2:]) in known:
            return make(random)
    if last == "at" or last in {"date", "day", "since", "until", "birthday"}:
        kind = "date-time" if last == "at" else "date"
        return text_of_format(kind, name, random) or ""
    return random.choice(NOUNS)


def _email(random: Random) -> str:
    return f"{random.choice(FIRST_NAMES)}.{random.choice(LAST_NAMES)}@example.com".lower()


def _address(name: str, random: Random) -> str:
    is_picture = {"image", "avatar", "photo", "picture", "thumbnail", "logo"} & {*words_of(name)}
    path = f"{random.choice(NOUNS)}s/{random.randint(1, 999)}"
    return f"https://example.com/{path}{'.jpg' if is_picture else ''}"


def _person(random: Random) -> str:
    return f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"


def _thing(random: Random) -> str:
    return f"{random.choice(ADJECTIVES)} {random.choice(NOUNS)}"


def _sentence(random: Random) -> str:
    return random.choice(SENTENCES)


def _price(random: Random) -> str:
    return f"{random.randint(1, 250)}.{random.choice(('00', '50', '90', '99'))}"


_BY_NAME: Final[tuple[tuple[set[str], Callable[[Random], str]], ...]] = (
    ({"email", "mail"}, _email),
    ({"first name", "given name", "firstname"}, lambda r: r.choice(FIRST_NAMES)),
    ({"last name", "family name", "surname", "lastname"}, lambda r: r.choice(LAST_NAMES)),
    (
        {"full name", "display name", "author", "owner", "customer", "contact", "reviewer"},
        _person,
    ),
    ({"user name", "username", "login", "nickname"}, lambda r: r.choice(FIRST_NAMES).lower()),
    ({"company", "organization", "vendor", "manufacturer", "brand"}, lambda r: r.choice(COMPANIES)),
    ({"title", "name", "label", "headline", "subject", "product"}, _thing),
    (
        {"description", "text", "comment", "summary", "body", "message", "bio", "note", "content"},
        _sentence,
    ),
    ({"url", "uri", "link", "href", "website", "homepage"}, lambda r: _address("", r)),
    ({"image", "avatar", "photo", "picture", "thumbnail", "logo"}, lambda r: _address("image", r)),
    ({"price", "amount", "total", "cost"}, _price),
    ({"currency", "currency code"}, lambda r: r.choice(("EUR", "USD", "GBP"))),
    ({"phone", "phone number", "mobile", "fax"}, lambda r: f"+44 20 7946 0{r.randint(100, 999)}"),
    ({"city", "town", "location", "place"}, lambda r: r.choice(CITIES)),
    ({"street", "address", "line1"}, lambda r: f"{r.randint(1, 99)} {r.choice(STREETS)}"),
    ({"country", "country code"}, lambda r: r.choice(COUNTRIES)),
    ({"zip", "postcode", "postal code", "zipcode"}, lambda r: str(r.randint(10_000, 99_999))),
    ({"language", "locale", "lang"}, lambda r: r.choice(("en", "de", "fr", "pt"))),
    ({"timezone", "time zone"}, lambda r: f"Europe/{r.choice(('Lisbon', 'Berlin', 'Paris'))}"),
    ({"color", "colour"}, lambda r: r.choice(COLOURS)),
    ({"slug", "handle"}, lambda r: _thing(r).lower().replace(" ", "-")),
    ({"code", "sku", "reference", "number"}, lambda r: f"{r.randint(100_000, 999_999)}"),
    ({"token", "hash", "sha", "digest", "etag", "checksum"}, lambda r: f"{r.getrandbits(64):016x}"),
    ({"version"}, lambda r: f"{r.randint(1, 4)}.{r.randint(0, 9)}.{r.randint(0, 9)}"),
    ({"status", "state"}, lambda r: r.choice(("active", "open"))),
    ({"ip"}, lambda r: f"192.0.2.{r.randint(1, 254)}"),
    ({"host", "hostname", "domain"}, lambda r: f"{r.choice(NOUNS)}.example"),
    ({"id", "key", "uuid"}, lambda r: str(r.randint(1, 999))),
)
