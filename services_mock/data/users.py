"""Customers `"1"` … `"320"`: names, addresses, preferences."""

import functools
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from services_mock.data import categories, ids, images, people, seed
from services_mock.data.money import CURRENCY
from services_mock.data.people import Address, Country, Name

COUNT = 320
DEMO = 1
WHOLESALE = 2
STAFF = 9
"""The customer who works for the shop."""

STEPS = (0, 1_000, 5_000, 20_000)
TOPICS = ("order_updates", "back_in_stock", "price_drops", "review_requests", "newsletter")

Tier = Literal["basic", "silver", "gold", "platinum"]
Channel = Literal["email", "push", "sms"]


@dataclass(frozen=True, slots=True)
class Loyalty:
    """How far a customer is in the loyalty programme."""

    tier: Tier
    points: int
    points_to_next: int | None
    member_since: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """The usual sizes."""

    tops: str
    bottoms: str
    shoes: str


@dataclass(frozen=True, slots=True)
class Notification:
    """Whether a topic may reach the customer by a channel."""

    channel: Channel
    topic: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of a customer."""

    newsletter: bool
    currency: str
    favourite_categories: tuple[str, ...]
    sizes: Sizes
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is signed in."""

    id: str
    name: str
    platform: str
    last_seen_at: str


@dataclass(frozen=True, slots=True)
class Interest:
    """How much a category means to the customer, from 0 to 1."""

    category_id: str
    score: float
    since: str


@dataclass(frozen=True, slots=True)
class User:
    """A customer."""

    id: str
    email: str
    phone: str
    name: Name
    avatar: images.Image
    locale: Literal["en", "de", "fr"]
    country: str
    time_zone: str
    birthday: str | None
    created_at: str
    updated_at: str
    loyalty: Loyalty
    addresses: tuple[Address, ...]
    preferences: Preferences
    devices: tuple[Device, ...]
    interests: tuple[Interest, ...]


def exists(user_id: str) -> bool:
    """Whether there is such a customer."""
    return ids.is_between(user_id, 1, COUNT)


@functools.lru_cache(maxsize=COUNT)
def user(user_id: str) -> User:
    """Return a customer that exists."""
    chance = seed.draw("user", user_id)
    name, country = people.person(chance)
    joined = seed.before(chance, 2400)
    return User(
        id=user_id,
        email=f"{people.plain(name.given)}.{people.plain(name.family)}{user_id}@example.com",
        phone=people.phone(chance, country),
        name=name,
        avatar=images.picture(f"avatars/{people.initials(name)}/{user_id}", name.full),
        locale=_locale(country),
        country=country.code,
        time_zone=country.time_zone,
        birthday=chance.choice([None, _birthday(chance)]),
        created_at=seed.instant(joined),
        updated_at=seed.instant(seed.before(chance, 60)),
        loyalty=_loyalty(chance, user_id, joined.date().isoformat()),
        addresses=_addresses(chance, user_id, name, country),
        preferences=_preferences(chance),
        devices=_devices(chance, user_id),
        interests=_interests(chance),
    )


def _locale(country: Country) -> Literal["en", "de", "fr"]:
    return "de" if country.locale == "de" else "fr" if country.locale == "fr" else "en"


def _birthday(chance: random.Random) -> str:
    age = timedelta(days=chance.randint(18 * 365, 80 * 365))
    return (seed.EPOCH - age).date().isoformat()


def _loyalty(chance: random.Random, user_id: str, since: str) -> Loyalty:
    points = 7_450 if user_id == str(DEMO) else int(chance.paretovariate(0.9) * 150) % 60_000
    level = sum(points >= step for step in STEPS) - 1
    tiers: tuple[Tier, ...] = ("basic", "silver", "gold", "platinum")
    to_next = STEPS[level + 1] - points if level + 1 < len(STEPS) else None
    return Loyalty(tiers[level], points, to_next, since)


def _addresses(
    chance: random.Random, user_id: str, name: Name, country: Country
) -> tuple[Address, ...]:
    labels: tuple[people.Label, ...] = ("home", "work", "parcel_locker")
    count = 3 if user_id == str(DEMO) else chance.randint(1, 3)
    return tuple(
        people.address(chance, f"adr-{user_id}-{n}", label, name, country)
        for n, label in enumerate(labels[:count], 1)
    )


def _preferences(chance: random.Random) -> Preferences:
    channels: tuple[Channel, ...] = ("email", "push", "sms")
    return Preferences(
        newsletter=chance.random() < 0.4,
        currency=CURRENCY,
        favourite_categories=tuple(seed.some(chance, categories.LEAF_IDS, 1, 5)),
        sizes=Sizes(
            chance.choice(("S", "M", "L", "XL")),
            chance.choice(("28", "30", "32", "34", "36")),
            str(chance.randint(36, 46)),
        ),
        notifications=tuple(
            Notification(channel, topic, chance.random() < 0.5)
            for channel in channels
            for topic in TOPICS
        ),
    )


def _devices(chance: random.Random, user_id: str) -> tuple[Device, ...]:
    kinds = (("Phone", "android"), ("Tablet", "ios"), ("Laptop", "web"), ("Phone", "ios"))
    return tuple(
        Device(f"dev-{user_id}-{n}", name, platform, seed.instant(seed.before(chance, 90)))
        for n, (name, platform) in enumerate(seed.some(chance, kinds, 1, 4), 1)
    )


def _interests(chance: random.Random) -> tuple[Interest, ...]:
    drawn = seed.some(chance, categories.LEAF_IDS, 6, 14)
    scores = sorted((round(chance.betavariate(2, 4), 3) for _ in drawn), reverse=True)
    return tuple(
        Interest(category, score, seed.before(chance, 700).date().isoformat())
        for category, score in zip(drawn, scores, strict=True)
    )


@functools.cache
def everyone() -> tuple[str, ...]:
    """Return the ids of all customers in their order."""
    return tuple(str(number) for number in range(1, COUNT + 1))


def with_preferences(
    who: User,
    *,
    newsletter: bool | None,
    currency: str | None,
    favourite_categories: tuple[str, ...] | None,
) -> User:
    """Return the customer with those preferences changed that are not `None`."""
    chosen = who.preferences
    changed = replace(
        chosen,
        newsletter=chosen.newsletter if newsletter is None else newsletter,
        currency=currency or chosen.currency,
        favourite_categories=(
            chosen.favourite_categories if favourite_categories is None else favourite_categories
        ),
    )
    return replace(who, preferences=changed, updated_at=seed.now())
