"""Generates the answers of the three services, and the expected screen; always the same.

Sizes of the compact JSON: about 0.2 KB for the user, 3.8 KB for ten orders and 6.7 KB for twenty
recommendations. A third or less of each is what the screen shows.
"""

import json
from dataclasses import dataclass
from random import Random

Record = dict[str, object]

SEED = 20_260
FIRST_NAMES = ("Amara", "Bruno", "Chiara", "Dmitri", "Elif", "Freya", "Goran", "Hana")
LAST_NAMES = ("Lindqvist", "Okafor", "Moreau", "Tanaka", "Novak", "Castillo", "Haddad", "Byrne")
STATUSES = ("placed", "paid", "packed", "shipped", "delivered", "returned")
CARRIERS = ("nordpost", "swiftline", "parcelhub")
MATERIALS = ("Merino", "Linen", "Walnut", "Copper", "Ceramic", "Canvas", "Bamboo", "Leather")
THINGS = ("Throw Blanket", "Desk Lamp", "Travel Mug", "Notebook Set", "Wall Clock", "Tote Bag")
BRANDS = ("Fjellhus", "Oak & Ember", "Maison Clair", "Halden Works")
REASONS = ("bought_together", "viewed_also", "popular_nearby", "back_in_stock")


@dataclass(frozen=True, slots=True)
class Payloads:
    """The three services' answers, decoded."""

    user: Record
    orders: list[Record]
    recommendations: list[Record]

    @property
    def files(self) -> dict[str, bytes]:
        """Each service's answer as bytes, by the service's name."""
        return {
            "users": encode(self.user),
            "orders": encode(self.orders),
            "recommendations": encode(self.recommendations),
        }

    @property
    def trimmed(self) -> Record:
        """The screen with only the fields that its client shows."""
        return {
            "user": pick(self.user, ("id", "name")),
            "orders": [pick(order, ("id", "total", "status")) for order in self.orders],
            "recommendations": [
                pick(product, ("id", "title", "price")) for product in self.recommendations
            ],
        }

    @property
    def spliced(self) -> Record:
        """The screen with everything that the services answered."""
        return {
            "user": self.user,
            "orders": self.orders,
            "recommendations": self.recommendations,
        }


def encode(value: object) -> bytes:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def pick(record: Record, names: tuple[str, ...]) -> Record:
    """Return the record with only these fields."""
    return {name: record[name] for name in names}


def generate() -> Payloads:
    """Return the payloads; every call returns equal ones."""
    random = Random(SEED)
    return Payloads(
        user=_user(random),
        orders=[_order(random, 70_000 + index) for index in range(10)],
        recommendations=[_recommendation(random, 1_000 + index) for index in range(20)],
    )


def _user(random: Random) -> Record:
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    return {
        "id": 7,
        "name": f"{first} {last}",
        "email": f"{first}.{last}@example.com".lower(),
        "locale": "en-GB",
        "tier": "gold",
        "created_at": _instant(random),
        "marketing_opt_in": True,
        "default_address_id": 41,
        "points": random.randrange(9_999),
    }


def _order(random: Random, order_id: int) -> Record:
    lines = [_line(random) for _ in range(2)]
    return {
        "id": order_id,
        "customer_id": 7,
        "status": random.choice(STATUSES),
        "placed_at": _instant(random),
        "channel": "mobile",
        "currency": "EUR",
        "total": _price(random),
        "lines": lines,
        "shipping": {
            "carrier": random.choice(CARRIERS),
            "tracking": f"{random.getrandbits(48):015d}",
            "city": "Rotterdam",
            "country": "NL",
        },
        "payment": {"method": "card", "last4": f"{random.randrange(10_000):04d}"},
    }


def _line(random: Random) -> Record:
    return {
        "sku": f"SKU-{random.randrange(100_000):05d}",
        "quantity": random.randint(1, 3),
        "price": _price(random),
    }


def _recommendation(random: Random, product_id: int) -> Record:
    material, thing = random.choice(MATERIALS), random.choice(THINGS)
    return {
        "id": product_id,
        "title": f"{material} {thing}",
        "slug": f"{material} {thing} {product_id}".lower().replace(" ", "-"),
        "brand": random.choice(BRANDS),
        "category": "home/living",
        "price": _price(random),
        "currency": "EUR",
        "rating": random.randrange(30, 50) / 10,
        "review_count": random.randrange(900),
        "image": {
            "url": f"https://img.example.com/p/{product_id}/640.webp",
            "width": 640,
            "height": 480,
        },
        "badges": ["new"],
        "in_stock": random.random() < 0.9,
        "score": random.randrange(10_000) / 10_000,
        "reason": random.choice(REASONS),
    }


def _price(random: Random) -> float:
    return random.randrange(499, 24_999) / 100


def _instant(random: Random) -> str:
    return f"2026-{random.randint(1, 9):02d}-{random.randint(1, 28):02d}T09:30:00Z"
