"""How a picture is arranged: background, symbols, their place, size and angle."""

from collections.abc import Sequence
from hashlib import blake2s
from typing import NamedTuple
from zlib import crc32

from services_mock.pictures.symbol_files import DETAILS, SYMBOLS
from services_mock.pictures.tones import TONES, Tone

_BACKDROPS = (
    "",
    '<circle cx="60" cy="75" r="50" fill="%(bg2)s"/>',
    '<path d="M0 94h120v56H0z" fill="%(bg2)s"/>',
    '<path d="M18 150V72a42 42 0 0 1 84 0v78z" fill="%(bg2)s"/>',
    '<path d="M0 112 120 46v104H0z" fill="%(bg2)s"/>',
    '<circle cx="106" cy="34" r="62" fill="%(bg2)s"/>',
    '<path d="M0 0h52v150H0z" fill="%(bg2)s"/>',
)
_BANNER_COLOURS = ("PTL", "RST", "NAV", "GRN", "YLW", "BRY", "CRL", "GRY")
_AVATAR_COLOURS = (*_BANNER_COLOURS, "SKY", "OLV", "BRN", "RED")


class _Look(NamedTuple):
    """What makes one product differ from the next of its category."""

    text: str
    flip: bool
    angle: float
    size: float
    backdrop: int
    focus: tuple[float, float]


def product(category: str, tone: Tone, product_id: str, n: int, width: int) -> bytes:
    """Return picture `n` of a product: whole, turned round, close, as a pair, from farther."""
    look = _look(category, tone, product_id, n, str(n))
    view = (n - 1) % 5
    if view == 2:
        x, y = 60 + (60 - look.focus[0]) * 0.6, 75 + (60 - look.focus[1]) * 0.6
        placed = _placed(look.text, x, y, 1.36, angle=look.angle, flip=look.flip)
    elif view == 3:
        behind = _placed(look.text, 82, 58, 0.5, angle=-look.angle, flip=not look.flip)
        placed = behind + _placed(look.text, 48, 86, 0.72, angle=look.angle, flip=look.flip)
    elif view == 4:
        placed = _placed(look.text, 60, 75, 0.74, angle=look.angle * 1.8, flip=look.flip)
    else:
        placed = _placed(look.text, 60, 75, look.size, angle=look.angle, flip=look.flip)
    return _document(120, 150, width, tone, _backdrop(look, tone) + placed)


def review(category: str, tone: Tone, photo_id: str, width: int) -> bytes:
    """Return a customer's photo: the product in a room, off centre, nearer or farther."""
    look = _look(category, tone, photo_id.partition("-")[0], 1, photo_id)
    x, y = 60 + (60 - look.focus[0]) * 0.9, 47 + (60 - look.focus[1]) * 0.35
    window = '<path d="M{0} 8h14v20H{0}zM{1} 8h14v20H{1}zM{0} 31h14v16H{0}zM{1} 31h14v16H{1}z" '
    left = 6 if look.focus[0] < 60 else 82
    room = window.format(left, left + 17) + f'fill="{tone.paints["bg2"]}"/>'
    floor = f'<path d="M0 60h120v30H0z" fill="{tone.paints["bg2"]}"/>'
    size = 0.62 + 0.3 * (look.focus[1] - 40) / 40
    placed = _placed(look.text, x, y, size, angle=look.angle * 1.8, flip=look.flip)
    return _document(120, 90, width, tone, room + floor + placed)


def banner(category: str, width: int) -> bytes:
    """Return a category's banner: up to three symbols of what is in it, side by side."""
    chance = crc32(category.encode())
    tones = [TONES[_BANNER_COLOURS[(chance + step) % 8]] for step in (0, 3, 6)]
    places = ((46, 70, 0.6), (194, 70, 0.6), (120, 59, 0.86))
    chosen = _spread(SYMBOLS[category].leaves)
    symbols = "".join(
        _placed(SYMBOLS[leaf].texts[step] % _paints(tone, step), x, y, size)
        for step, (leaf, tone, (x, y, size)) in enumerate(zip(chosen, tones, places, strict=True))
    )
    ground = f'<path d="M0 84h240v36H0z" fill="{tones[2].paints["bg2"]}"/>'
    return _document(240, 120, width, tones[2], ground + symbols)


def avatar(initials: str, user_id: str, width: int) -> bytes:
    """Return a monogram on a tone that depends on the user."""
    tone = TONES[_AVATAR_COLOURS[crc32(user_id.encode()) % len(_AVATAR_COLOURS)]]
    letters = (
        f'<text x="60" y="{60 + 17}" text-anchor="middle" font-size="{60 - 8 * len(initials)}" '
        f'font-family="Helvetica,Arial,sans-serif" font-weight="700" fill="{tone.paints["c"]}">'
        f"{initials.upper()}</text>"
    )
    disc = f'<circle cx="104" cy="104" r="64" fill="{tone.paints["bg2"]}"/>'
    return _document(120, 120, width, tone, disc + letters)


def _look(category: str, tone: Tone, product_id: str, n: int, place: str) -> _Look:
    """Draw what a product has in all its pictures, and where it is in one of them."""
    symbol = SYMBOLS[category]
    accent, detail, flip, turn, backdrop, size = _shares(6, category, product_id)
    text = symbol.texts[int(detail * len(DETAILS))] % _paints(tone, int(accent * 60))
    angle = 0.0 if symbol.upright else (turn - 0.5) * 16
    across, down = _shares(2, category, product_id, place)
    return _Look(
        text=text,
        flip=(flip < 0.5) == (n % 2 == 1),
        angle=round(angle if n % 2 else -angle, 1),
        size=0.88 + 0.1 * size,
        backdrop=(int(backdrop * len(_BACKDROPS)) + 2 * (n - 1)) % len(_BACKDROPS),
        focus=(40 + 40 * across, 40 + 40 * down),
    )


def _shares(count: int, *key: str) -> list[float]:
    """Return numbers from 0 to below 1 that depend on a key, the same in every process."""
    digest = blake2s("/".join(key).encode(), digest_size=count).digest()
    return [byte / 256 for byte in digest]


def _paints(tone: Tone, accent: int) -> dict[str, str]:
    return {**tone.paints, "x": tone.accents[accent % len(tone.accents)]}


def _spread(leaves: Sequence[str]) -> list[str]:
    """Choose three of them, evenly; a single one three times."""
    return [leaves[step * len(leaves) // 3] for step in range(3)]


def _backdrop(look: _Look, tone: Tone) -> str:
    return _BACKDROPS[look.backdrop] % tone.paints


def _placed(
    text: str, x: float, y: float, size: float, *, angle: float = 0, flip: bool = False
) -> str:
    """Put a symbol's middle at a place, then scale, turn and mirror it."""
    across = -size if flip else size
    turn = f" rotate({angle:g})" if angle else ""
    moved = f"translate({x:.4g} {y:.4g}){turn} scale({across:.3g} {size:.3g}) translate(-60 -60)"
    return f'<g transform="{moved}">{text}</g>'


def _document(across: int, down: int, width: int, tone: Tone, inside: str) -> bytes:
    height = round(width * down / across)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {down}" '
        f'width="{width}" height="{height}">'
        f'<path d="M0 0h{across}v{down}H0z" fill="{tone.paints["bg"]}"/>{inside}</svg>'
    ).encode()
