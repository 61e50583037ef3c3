"""The catalog's record of a product, in each language."""

import functools
import random
from dataclasses import dataclass
from datetime import timedelta

from services_mock.data import attributes, categories, goods, seed, text
from services_mock.data.attributes import Attribute
from services_mock.data.categories import Reference
from services_mock.data.goods import Good
from services_mock.data.images import BASE, Image, picture
from services_mock.data.text import LOCALES


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of an option."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of the buyer: colour, size."""

    name: str
    label: str
    values: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class ProductVariant:
    """A variant that can be bought; `options` maps an option's name to the id of its value."""

    sku: str
    options: dict[str, str]
    gtin: str
    weight_g: int
    image_index: int


@dataclass(frozen=True, slots=True)
class Document:
    """Something to download."""

    kind: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """The product as it is shipped."""

    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    bulky: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A product in a list."""

    id: str
    slug: str
    title: str
    subtitle: str
    brand: Reference
    category: Reference
    image: Image
    default_sku: str
    variant_count: int
    colors: tuple[str, ...]
    highlights: tuple[str, ...]
    tags: tuple[str, ...]
    badges: tuple[str, ...]
    released_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Summary):
    """A product with all that its page shows."""

    description: str
    images: tuple[Image, ...]
    path: tuple[Reference, ...]
    attributes: tuple[Attribute, ...]
    options: tuple[Option, ...]
    variants: tuple[ProductVariant, ...]
    related: tuple[str, ...]
    documents: tuple[Document, ...]
    care: tuple[str, ...]
    warranty_months: int
    shipping: Parcel
    updated_at: str


@functools.lru_cache(maxsize=4096)
def summary(product_id: str, locale: str) -> Summary:
    """Return a product that exists as lists show it."""
    item = goods.good(product_id)
    title = goods.title(product_id, locale)
    material = attributes.material(item, locale)
    shorts = tuple(feature[LOCALES.index(locale)] for feature in _features(item))
    return Summary(
        id=product_id,
        slug=_slug(goods.title(product_id, "en"), product_id),
        title=title,
        subtitle=f"{shorts[0]} · {material}",
        brand=Reference(item.brand, goods.brand_name(item)),
        category=categories.reference(item.category, locale),
        image=_image(item, title, 0),
        default_sku=item.variants[0].sku,
        variant_count=len(item.variants),
        colors=tuple(_color(color, locale) for color in item.colors),
        highlights=shorts[:3],
        tags=_tags(item),
        badges=_badges(item),
        released_at=(seed.EPOCH - timedelta(days=item.age_days)).date().isoformat(),
    )


@functools.lru_cache(maxsize=512)
def product(product_id: str, locale: str) -> Product:
    """Return a product that exists with all its fields."""
    item = goods.good(product_id)
    brief = summary(product_id, locale)
    chance = seed.draw("product", product_id)
    short = {name: getattr(brief, name) for name in Summary.__dataclass_fields__}
    pictures = max(chance.randint(3, 7), len(item.colors))
    return Product(
        **short,
        description=_description(chance, item, locale),
        images=tuple(_image(item, brief.title, n, locale) for n in range(pictures)),
        path=categories.path(item.category, locale),
        attributes=attributes.attributes(item, locale),
        options=_options(item, locale),
        variants=_variants(chance, item),
        related=related(product_id),
        documents=_documents(item, locale),
        care=_care(chance, locale),
        warranty_months=attributes.warranty_months(item),
        shipping=_parcel(chance, item),
        updated_at=seed.instant(seed.before(chance, 30)),
    )


@functools.lru_cache(maxsize=goods.COUNT)
def related(product_id: str) -> tuple[str, ...]:
    """Return twelve other products: the popular ones nearby, then some of other categories."""
    item = goods.good(product_id)
    chance = seed.draw("related", product_id)
    near = [other.id for other in goods.in_category(item.category) if other.id != product_id]
    chosen = near[:20]
    chance.shuffle(chosen)
    del chosen[9:]
    while len(chosen) < 12:
        other = goods.popular(chance).id
        if other != product_id and other not in chosen:
            chosen.append(other)
    return tuple(chosen)


def _features(item: Good) -> list[tuple[str, ...]]:
    root = categories.line_of(item.category)[0]
    pool = text.by_first("features")[root]
    return seed.draw("features", item.id).sample(pool, min(4, len(pool)))


def _description(chance: random.Random, item: Good, locale: str) -> str:
    column = LOCALES.index(locale)
    paragraphs = text.by_first("paragraphs")
    filled = {
        "model": item.model,
        "brand": goods.brand_name(item),
        "material": attributes.material(item, locale),
    }
    intro = chance.choice(paragraphs["intro"])[column].format_map(filled)
    longs = [feature[3 + column] for feature in _features(item)]
    outro = chance.choice(paragraphs["outro"])[column]
    return "\n\n".join((intro, " ".join(longs[:2]), " ".join(longs[2:]), outro))


def _slug(title: str, product_id: str) -> str:
    letters = (sign if sign.isascii() and sign.isalnum() else " " for sign in title.lower())
    return "-".join(["".join(letters).replace("  ", " ").strip().replace(" ", "-"), product_id])


def _image(item: Good, title: str, number: int, locale: str = "en") -> Image:
    view = text.localized("labels")["view"][LOCALES.index(locale)]
    alt = title if number == 0 else f"{title}, {view} {number + 1}"
    return picture(path_of_picture(item, number), alt, ratio=1.25)


def path_of_picture(item: Good, number: int) -> str:
    """Return the path of a product's picture; the first ones show each of its colours once."""
    color = item.colors[number % len(item.colors)]
    return f"products/{item.category}/{color}/{item.id}-{number + 1}"


def _color(color: str, locale: str) -> str:
    return text.localized("colors")[color][LOCALES.index(locale)]


def _tags(item: Good) -> tuple[str, ...]:
    root, middle, leaf = categories.line_of(item.category)
    season = attributes.season(item)
    return tuple(dict.fromkeys((root, middle, leaf, season.replace("_", "-"))))


def _badges(item: Good) -> tuple[str, ...]:
    worn = {
        "new": item.age_days < 60,
        "bestseller": item.popularity <= 120,
        "eco": attributes.recycled_percent(item) >= 60,
    }
    return tuple(badge for badge, is_worn in worn.items() if is_worn)


def _options(item: Good, locale: str) -> tuple[Option, ...]:
    labels = text.localized("labels")
    column = LOCALES.index(locale)
    names = dict(categories.LEAVES[item.category].sizes)
    sizes = dict.fromkeys(variant.size for variant in item.variants)
    colors = tuple(Choice(color, _color(color, locale)) for color in item.colors)
    return (
        Option("color", labels["color"][column], colors),
        Option("size", labels["size"][column], tuple(Choice(s, names[s]) for s in sizes)),
    )


def _variants(chance: random.Random, item: Good) -> tuple[ProductVariant, ...]:
    weight = categories.LEAVES[item.category].weight_g
    return tuple(
        ProductVariant(
            sku=variant.sku,
            options={"color": variant.color, "size": variant.size},
            gtin=_gtin(chance),
            weight_g=round(weight * chance.uniform(0.9, 1.15)),
            image_index=item.colors.index(variant.color),
        )
        for variant in item.variants
    )


def _gtin(chance: random.Random) -> str:
    """Draw a GTIN-13 with its check digit (GS1 General Specifications, section 7.9)."""
    digits = [4, 0, *(chance.randint(0, 9) for _ in range(10))]
    weighted = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return "".join(map(str, (*digits, -weighted % 10)))


def _documents(item: Good, locale: str) -> tuple[Document, ...]:
    labels = text.localized("labels")
    return tuple(
        Document(
            kind, labels[kind][LOCALES.index(locale)], f"{BASE}/docs/{item.id}/{kind}.{locale}.pdf"
        )
        for kind in ("manual", "drawing")
    )


def _care(chance: random.Random, locale: str) -> tuple[str, ...]:
    advice = seed.some(chance, text.by_first("paragraphs")["care"], 2, 4)
    return tuple(row[LOCALES.index(locale)] for row in advice)


def _parcel(chance: random.Random, item: Good) -> Parcel:
    weight = round(categories.LEAVES[item.category].weight_g * 1.2)
    edge = round(95 * weight ** (1 / 3) / 4)
    length = round(edge * chance.uniform(1.0, 1.8))
    height = round(edge * chance.uniform(0.3, 0.9))
    return Parcel(weight, length, edge, height, bulky=weight > 12_000)
