"""The reply types of the mock services, as far as the gateways of these tests use them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """A product, as far as it matters here."""

    id: str
    title: str


@dataclass(frozen=True)
class Review:
    """What somebody says of it."""

    id: str
    title: str


@dataclass(frozen=True)
class Page:
    """A page of a list."""

    items: tuple[Review, ...]


@dataclass(frozen=True)
class Person:
    """A customer, whose e-mail address is private."""

    id: str
    email: str


@dataclass(frozen=True)
class Money:
    """An amount in cents."""

    amount: int


@dataclass(frozen=True)
class Price:
    """What it costs."""

    price: Money
