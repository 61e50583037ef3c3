"""Names and addresses of people from many places."""

import random
import unicodedata
from dataclasses import dataclass
from typing import Literal

from services_mock.data import text

UNDECOMPOSED = str.maketrans("ßłŁıøđĐ", "slLiodD")
"""Letters that Unicode does not decompose into a plain one and a mark."""

Label = Literal["home", "work", "parcel_locker"]


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name."""

    given: str
    family: str
    full: str


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address."""

    id: str
    label: Label
    name: str
    line1: str
    line2: str | None
    postal_code: str
    city: str
    country: str
    phone: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Country:
    """The form of a country's addresses; `postal` has `#` for digits and `@` for letters."""

    code: str
    locale: str
    time_zone: str
    calling_code: str
    postal: str
    streets: tuple[str, ...]
    cities: tuple[str, ...]


def countries() -> dict[str, Country]:
    """Return the countries that customers live in, by code."""
    return {
        code: Country(
            code,
            locale,
            zone,
            dial,
            text.spaced(postal),
            text.words(streets, ";"),
            text.words(city),
        )
        for code, locale, zone, dial, postal, streets, city in text.rows("places")
    }


COUNTRIES = countries()


def person(chance: random.Random) -> tuple[Name, Country]:
    """Draw a name and a country where it is at home."""
    _, homes, given_names, family_names = chance.choice(text.rows("names"))
    given = chance.choice(text.words(given_names))
    family = chance.choice(text.words(family_names))
    return Name(given, family, f"{given} {family}"), COUNTRIES[chance.choice(homes.split())]


def address(
    chance: random.Random, identity: str, label: Label, name: Name, country: Country
) -> Address:
    """Draw an address in a country; the one at home is the default."""
    return Address(
        id=identity,
        label=label,
        name=name.full,
        line1=f"{chance.choice(country.streets)} {chance.randint(1, 148)}",
        line2=chance.choice([None, None, None, "2nd floor", "c/o reception", "Apt. 14"]),
        postal_code=postal_code(chance, country.postal),
        city=chance.choice(country.cities),
        country=country.code,
        phone=phone(chance, country),
        is_default=label == "home",
    )


def postal_code(chance: random.Random, pattern: str) -> str:
    """Fill a pattern of `#` and `@`; a code never starts with zero."""
    drawn = {"#": lambda: chance.choice("123456789"), "@": lambda: chance.choice("ABDEFGHKLNPRSTW")}
    return "".join(drawn[sign]() if sign in drawn else sign for sign in pattern)


def phone(chance: random.Random, country: Country) -> str:
    """Draw a number in E.164 form."""
    return f"+{country.calling_code}{chance.randint(15, 79)}{chance.randint(1_000_000, 9_999_999)}"


def initials(name: Name) -> str:
    """Return two letters for a name, without accents."""
    return (plain(name.given)[:1] + plain(name.family)[:1]).upper()


def plain(word: str) -> str:
    """Reduce a name to the letters that a mail address may have."""
    folded = word.translate(UNDECOMPOSED)
    decomposed = unicodedata.normalize("NFKD", folded).casefold()
    return "".join(sign for sign in decomposed if sign.isascii() and sign.isalnum())
