"""The category tree: three levels, each named in three languages."""

import functools
from dataclasses import dataclass

from services_mock.data import seed, text
from services_mock.data.images import Image, picture
from services_mock.data.text import LOCALES, Localized


@dataclass(frozen=True, slots=True)
class Leaf:
    """The common traits of a leaf category's products; prices in minor units."""

    noun: Localized
    sizes: tuple[tuple[str, str], ...]
    low: int
    high: int
    weight_g: int


@dataclass(frozen=True, slots=True)
class Node:
    """One category of the tree; only leaves hold products."""

    id: str
    name: Localized
    parent: str | None
    level: int
    leaf: Leaf | None


@dataclass(frozen=True, slots=True)
class Reference:
    """An id and the name to show for it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Category:
    """A category as the catalog lists it."""

    id: str
    name: str
    description: str
    parent_id: str | None
    level: int
    product_count: int
    path: tuple[Reference, ...]
    image: Image
    children: "tuple[Category, ...]"


def _sizes(system: str) -> tuple[tuple[str, str], ...]:
    labels = text.pairs("sizes")[system].split()
    pairs = (label.split("=") for label in labels)
    return tuple((identity, text.spaced(label)) for identity, label in pairs)


def _leaf(cells: tuple[str, ...]) -> Leaf:
    en, de, fr, system, price, weight = cells
    low, high = price.split("-")
    return Leaf((en, de, fr), _sizes(system), int(low) * 100, int(high) * 100, int(weight))


def _tree() -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    branch: list[str] = []
    for line, cells in zip(text.lines("categories"), text.rows("categories"), strict=True):
        identity, en, de, fr, *rest = cells
        depth = (len(line) - len(line.lstrip())) // 2
        branch[depth:] = [identity]
        parent = branch[depth - 1] if depth else None
        leaf = _leaf(tuple(rest)) if rest else None
        nodes[identity] = Node(identity, (en, de, fr), parent, depth + 1, leaf)
    return nodes


NODES = _tree()
LEAVES = {node.id: node.leaf for node in NODES.values() if node.leaf is not None}
LEAF_IDS = tuple(LEAVES)
ROOT_IDS = tuple(node.id for node in NODES.values() if node.parent is None)


@functools.cache
def line_of(category_id: str) -> tuple[str, ...]:
    """Return the ids from the root down to a category."""
    parent = NODES[category_id].parent
    return (*line_of(parent), category_id) if parent else (category_id,)


@functools.cache
def leaves_under(category_id: str) -> frozenset[str]:
    """Return the leaf categories at or below a category."""
    return frozenset(leaf for leaf in LEAVES if category_id in line_of(leaf))


@functools.cache
def children_of(category_id: str) -> tuple[str, ...]:
    """Return the ids of the categories right below one."""
    return tuple(node.id for node in NODES.values() if node.parent == category_id)


def reference(category_id: str, locale: str) -> Reference:
    """Return a category's id and name."""
    return Reference(category_id, NODES[category_id].name[LOCALES.index(locale)])


def path(category_id: str, locale: str) -> tuple[Reference, ...]:
    """Return the way from the root to a category."""
    return tuple(reference(step, locale) for step in line_of(category_id))


def category(category_id: str, locale: str, counts: dict[str, int], *, depth: int = 3) -> Category:
    """Return a category with `depth` levels below it; `counts` are the leaves' products."""
    node = NODES[category_id]
    chance = seed.draw("category", category_id)
    blurb = chance.choice(text.by_first("paragraphs")["category"])
    below = children_of(category_id) if depth else ()
    return Category(
        id=category_id,
        name=node.name[LOCALES.index(locale)],
        description=blurb[LOCALES.index(locale)],
        parent_id=node.parent,
        level=node.level,
        product_count=sum(counts[leaf] for leaf in leaves_under(category_id)),
        path=path(category_id, locale),
        image=picture(f"categories/{category_id}", reference(category_id, locale).name, ratio=0.5),
        children=tuple(category(child, locale, counts, depth=depth - 1) for child in below),
    )
