"""Endpoints by which tests control the provider."""

from fastapi import Response
from pydantic import BaseModel

from services_mock.answers import answer
from services_mock.identity.leave import sign_out
from services_mock.identity.routes import Store, router


class Leaving(BaseModel, extra="forbid"):
    """The sessions to end: one, or all of a user."""

    sid: str = ""
    sub: str = ""


@router.post("/__keys__", include_in_schema=False)
async def rotate(book: Store) -> Response:
    """Rotate the signing key."""
    book.rotate()
    return answer({"kid": book.key.kid})


@router.post("/__logout__", include_in_schema=False)
async def log_out(book: Store, leaving: Leaving) -> Response:
    """End sessions, and notify the clients."""
    ended = [
        stay
        for stay in book.stays.values()
        if leaving.sid == stay.sid or (leaving.sub and leaving.sub == stay.subject)
    ]
    for stay in ended:
        await sign_out(book, stay)
    return answer({"ended": len(ended)})
