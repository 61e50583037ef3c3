"""The seeded reviews: a few products have hundreds, most a handful, many none."""

import functools
import random
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from services_mock.data import goods, seed, text, users
from services_mock.data.images import Image, picture
from services_mock.data.text import LOCALES

MOST = 900
"""Reviews of the best seller; the n-th has `MOST / n ** 0.8`."""

UNREVIEWED_DAYS = 21
"""Products younger than this have no reviews yet."""

ASPECTS = ("quality", "value", "comfort", "delivery")
SHAPES = ((1, 1, 2, 6, 12), (1, 2, 4, 8, 7), (4, 2, 1, 3, 9), (6, 5, 5, 4, 3), (0, 1, 2, 7, 6))
"""How often 1 to 5 stars are given: loved, liked, divisive, poor, sound."""


@dataclass(frozen=True, slots=True)
class Author:
    """The public name of a review's author."""

    id: str
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The shop's answer."""

    author: str
    body: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Review:
    """One customer's opinion of one product."""

    id: str
    product_id: str
    sku: str
    author: Author
    rating: int
    title: str
    body: str
    locale: Literal["en", "de", "fr"]
    helpful: int
    verified: bool
    created_at: str
    images: tuple[Image, ...]
    reply: Reply | None


@dataclass(frozen=True, slots=True)
class Aspect:
    """One property and how it was rated, from 1 to 5."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class RatingSummary:
    """All ratings of a product in one line; without any, averages are `None`."""

    product_id: str
    count: int
    average: float | None
    histogram: dict[str, int]
    recommend_percent: int | None
    aspects: tuple[Aspect, ...]
    latest_at: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """The filter and sort keys of a review; `age` in seconds before the epoch."""

    product_id: str
    number: int
    rating: int
    helpful: int
    age: int
    locale: Literal["en", "de", "fr"]
    verified: bool


def count(product_id: str) -> int:
    """Return how many reviews a product has."""
    item = goods.good(product_id)
    return 0 if item.age_days < UNREVIEWED_DAYS else int(MOST / item.popularity**0.8)


@functools.lru_cache(maxsize=goods.COUNT)
def rows(product_id: str) -> tuple[Row, ...]:
    """Return the index of a product's reviews."""
    chance = seed.draw("reviews", product_id)
    weights = chance.choice(SHAPES)
    oldest = goods.good(product_id).age_days * 86_400
    return tuple(
        Row(
            product_id=product_id,
            number=number,
            rating=chance.choices((1, 2, 3, 4, 5), weights)[0],
            helpful=min(400, int(chance.paretovariate(1.1)) - 1),
            age=chance.randrange(oldest),
            locale=chance.choice(("en", "en", "de", "de", "fr")),
            verified=chance.random() < 0.85,
        )
        for number in range(1, count(product_id) + 1)
    )


def find(review_id: str) -> Row | None:
    """Return the row of a review by its id."""
    product_id, _, number = review_id.partition("-")
    found = rows(product_id) if goods.exists(product_id) else ()
    return next((row for row in found if str(row.number) == number), None)


@functools.lru_cache(maxsize=4096)
def review(row: Row) -> Review:
    """Return the whole review of a row."""
    chance = seed.draw("review", row.product_id, row.number)
    mood = "good" if row.rating > 3 else "mixed" if row.rating == 3 else "bad"
    bought = chance.choice(goods.good(row.product_id).variants)
    return Review(
        id=f"{row.product_id}-{row.number}",
        product_id=row.product_id,
        sku=bought.sku,
        author=_author(chance),
        rating=row.rating,
        title=chance.choice(phrases(row.locale, mood, "title")),
        body=_body(chance, row.locale, mood),
        locale=row.locale,
        helpful=row.helpful,
        verified=row.verified,
        created_at=_written(row),
        images=_images(chance, row, bought.color),
        reply=_reply(chance, row),
    )


@functools.lru_cache(maxsize=goods.COUNT)
def summary(product_id: str) -> RatingSummary:
    """Return the ratings of a product that exists."""
    found = rows(product_id)
    stars = Counter(row.rating for row in found)
    total = len(found)
    average = sum(row.rating for row in found) / total if total else None
    good = stars[4] + stars[5]
    return RatingSummary(
        product_id=product_id,
        count=total,
        average=None if average is None else round(average, 1),
        histogram={str(rating): stars[rating] for rating in range(1, 6)},
        recommend_percent=round(100 * good / total) if total else None,
        aspects=_aspects(product_id, average),
        latest_at=_written(min(found, key=lambda row: row.age)) if found else None,
    )


@functools.cache
def phrases(locale: str, mood: str, kind: str) -> tuple[str, ...]:
    """Return the sentences that fit a language, a mood and a place in the review."""
    wanted = (locale, mood, kind)
    return tuple(row[3] for row in text.rows("reviews") if row[:3] == wanted)


def _written(row: Row) -> str:
    return seed.instant(seed.ago(row.age))


def _author(chance: random.Random) -> Author:
    who = users.user(str(chance.randint(1, users.COUNT)))
    return Author(who.id, f"{who.name.given} {who.name.family[0]}.", who.country)


def _body(chance: random.Random, locale: str, mood: str) -> str:
    middle = seed.some(chance, phrases(locale, mood, "body"), 1, 3)
    opening = chance.choice(phrases(locale, mood, "open"))
    closing = chance.choice(phrases(locale, mood, "close"))
    return " ".join((opening, *middle, closing))


def _images(chance: random.Random, row: Row, color: str) -> tuple[Image, ...]:
    shown = chance.choice((0, 0, 0, 0, 0, 1, 2))
    title = goods.title(row.product_id, LOCALES[0])
    folder = f"reviews/{goods.good(row.product_id).category}/{color}"
    return tuple(
        picture(f"{folder}/{row.product_id}-{row.number}-{n + 1}", title, ratio=0.75)
        for n in range(shown)
    )


def _reply(chance: random.Random, row: Row) -> Reply | None:
    if chance.random() > (0.06 if row.rating > 3 else 0.35):
        return None
    answered = seed.ago(max(0, row.age - chance.randint(3_600, 400_000)))
    return Reply("Customer care", phrases(row.locale, "any", "reply")[0], seed.instant(answered))


def _aspects(product_id: str, average: float | None) -> tuple[Aspect, ...]:
    if average is None:
        return ()
    chance = seed.draw("aspects", product_id)
    return tuple(
        Aspect(name, round(min(5.0, max(1.0, average + chance.uniform(-0.5, 0.5))), 1))
        for name in ASPECTS
    )
