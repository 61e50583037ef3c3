"""How the console's sentences write durations, sizes, counts and lists of names."""

from collections.abc import Sequence


def duration(seconds: float) -> str:
    """Return seconds as "0.4 ms", "203 ms" or "1.2 s"."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    millis = seconds * 1000
    return f"{millis:.0f} ms" if millis >= 1 else f"{millis:.1f} ms"


def age(seconds: float) -> str:
    """Return the age of something cached as "<1 s", "23 s", "5 min" or "2 h"."""
    if seconds < 1:
        return "<1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def size(count: int) -> str:
    """Return bytes as "233 B", "2.9 KB" or "1.4 MB"."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def counted(count: int, noun: str) -> str:
    """Return "1 attempt" or "2 attempts"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Return names as "a, b and c"; empty without names."""
    *before, last = names or [""]
    return f"{', '.join(before)} {word} {last}" if before else last


def listed_names(names: Sequence[str]) -> str:
    """Return names as "**a**, **b** and **c**", which pages show in bold."""
    return listed([f"**{name}**" for name in names])
