"""Chooses the language of an answer (RFC 9110, section 12.5.4)."""

from typing import Annotated, Literal

from fastapi import Depends, Header, Query

from services_mock.data.text import LOCALES

Language = Literal["en", "de", "fr"]


def negotiate(accepted: str) -> str:
    """Return the best of our languages for an `Accept-Language`; English when none fits."""
    ranked = sorted(map(_weighed, accepted.split(",")), key=lambda pair: -pair[0])
    for quality, tag in ranked:
        primary = tag.partition("-")[0]
        if quality > 0 and primary in LOCALES:
            return primary
    return LOCALES[0]


def _weighed(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    quality = parameter.strip().removeprefix("q=") or "1"
    try:
        return float(quality), tag.strip().casefold()
    except ValueError:
        return 0.0, tag


async def _locale(
    locale: Annotated[Language | None, Query()] = None,
    accept_language: Annotated[str, Header()] = "",
) -> str:
    return locale or negotiate(accept_language)


Locale = Annotated[str, Depends(_locale)]


def content_language(locale: str) -> dict[str, str]:
    """Return the headers of an answer in a language."""
    return {"content-language": locale, "vary": "Accept-Language"}
