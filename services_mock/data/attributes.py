"""The attributes of a product: material, weight, origin and whatever else its page lists."""

from dataclasses import dataclass
from datetime import timedelta

from services_mock.data import categories, seed, text
from services_mock.data.goods import Good
from services_mock.data.text import LOCALES

ORIGINS = ("PT", "DE", "IT", "SE", "VN", "JP", "CZ", "FR")
CERTIFICATES = (
    "OEKO-TEX Standard 100",
    "GOTS",
    "FSC Mix",
    "Fair Wear",
    "Blue Angel",
    "EU Ecolabel",
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One line of the table of attributes."""

    name: str
    label: str
    value: str
    unit: str | None


def material(item: Good, locale: str) -> str:
    """Return what a product is made of, as it stands after "made of"."""
    root = categories.line_of(item.category)[0]
    chosen = seed.draw("material", item.id).choice(text.by_first("materials")[root])
    return chosen[LOCALES.index(locale)]


def recycled_percent(item: Good) -> int:
    """Return how much of the material was used before, in per cent."""
    return seed.draw("recycled", item.id).choice((0, 0, 0, 20, 35, 50, 75, 100))


def season(item: Good) -> str:
    """Return the season that a product is for."""
    return seed.draw("season", item.id).choice(("all_year", "all_year", "summer", "winter"))


def warranty_months(item: Good) -> int:
    """Return how long the maker answers for the product."""
    return seed.draw("warranty", item.id).choice((24, 24, 36, 60, 120))


def attributes(item: Good, locale: str) -> tuple[Attribute, ...]:
    """Return a product's table of attributes in one language."""
    column = LOCALES.index(locale)
    labels = text.localized("labels")
    return tuple(
        Attribute(name, labels[name][column], _translated(value, column), unit)
        for name, value, unit in _facts(item, locale)
    )


def _facts(item: Good, locale: str) -> tuple[tuple[str, str, str | None], ...]:
    chance = seed.draw("facts", item.id)
    year = (seed.EPOCH - timedelta(days=item.age_days)).year
    return (
        ("material", material(item, locale), None),
        ("weight", str(categories.LEAVES[item.category].weight_g), "g"),
        ("origin", chance.choice(ORIGINS), None),
        ("recycled", str(recycled_percent(item)), "%"),
        ("warranty", str(warranty_months(item)), "mo"),
        ("certificate", chance.choice(CERTIFICATES), None),
        ("season", season(item), None),
        ("model_year", str(year), None),
        ("repair_score", f"{chance.uniform(4, 9.8):.1f}", "/10"),
        ("packaging", "cardboard", None),
    )


def _translated(value: str, column: int) -> str:
    known = text.localized("labels").get(value)
    return known[column] if known else value
