"""NaN, infinity and half surrogate pairs, which JSON can't represent, in answers."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest
from fastapi import Depends
from pydantic import BaseModel, ConfigDict

from bff_core import Composition, compose, critical, early
from tests.rest.conformance.three_ways import OTHER_WAYS, Ask, answer_of

NAN, INFINITY = float("nan"), float("inf")


@dataclass
class Rated:
    """A number that is always there."""

    rating: float


@dataclass
class Perhaps:
    """A number that may be null."""

    rating: float | None
    other: float = 1.0


class RatedModel(BaseModel):
    """The same for pydantic."""

    rating: float


class PerhapsModel(BaseModel):
    """The same for pydantic."""

    rating: float | None = None


class TextModel(BaseModel):
    """A model whose author sends such numbers as text."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    rating: float


class RatedStruct(msgspec.Struct):
    """The same for msgspec."""

    rating: float


@dataclass
class Either:
    """A number, a text or an object."""

    rating: float | str | Rated


class EitherModel(BaseModel):
    """The same for pydantic."""

    rating: float | str


@dataclass
class Deep:
    """Such numbers at all depths."""

    rows: list[Rated]
    by_key: dict[str, list[float]]
    models: list[RatedModel]


NOT_FINITE = {
    "number": (float, NAN),
    "infinity": (float, INFINITY),
    "minus infinity": (float, -INFINITY),
    "list": (list[float], [1.0, NAN]),
    "dict": (dict[str, float], {"a": NAN}),
    "dataclass": (Rated, Rated(NAN)),
    "optional dataclass": (Rated | None, Rated(NAN)),
    "list of dataclasses": (list[Rated], [Rated(1.0), Rated(NAN)]),
    "beside a declared null": (Perhaps, Perhaps(None, NAN)),
    "model": (RatedModel, RatedModel(rating=NAN)),
    "list of models": (list[RatedModel], [RatedModel(rating=NAN)]),
    "deep": (Deep, Deep([Rated(1.0)], {"a": [NAN]}, [])),
    "deep in a model": (Deep, Deep([], {}, [RatedModel(rating=NAN)])),
    "Struct": (RatedStruct, RatedStruct(NAN)),
    "list of Structs": (list[RatedStruct], [RatedStruct(INFINITY)]),
    "no type": (None, {"a": NAN}),
    "union": (float | str, NAN),
    "union with an object": (float | Rated, NAN),
    "union of a field": (Either, Either(NAN)),
    "union of a field of a model": (EitherModel, EitherModel(rating=NAN)),
}
NULLABLE = {
    "number": (float | None, NAN, None),
    "dataclass": (Perhaps, Perhaps(NAN), {"rating": None, "other": 1.0}),
    "model": (PerhapsModel, PerhapsModel(rating=INFINITY), {"rating": None}),
    "anything": (dict[str, Any], {"a": NAN}, {"a": None}),
    "texts of a model": (TextModel, TextModel(rating=NAN), {"rating": "NaN"}),
}


def declared(declared, returned, kind="get"):
    def declare(routes):
        async def x():
            return returned

        async def lines():
            yield returned

        if kind == "stream":
            lines.__annotations__ = {"return": AsyncIterator[declared]} if declared else {}
            routes.stream("/x")(lines)
        else:
            x.__annotations__ = {} if declared is None else {"return": declared}
            getattr(routes, kind)("/x")(x)
        return Ask(is_compiled=kind != "stream")

    return declare


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("kind", ["get", "stream"])
@pytest.mark.parametrize(("kind_of", "returned"), NOT_FINITE.values(), ids=NOT_FINITE)
async def test_number_without_a_json_form_is_an_error(way, kind, kind_of, returned):
    """OpenAPI says `number`, so null would be wrong: the answer is a 500."""
    answer = await answer_of(way, declared(kind_of, returned, kind))

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize(("kind_of", "returned", "sent"), NULLABLE.values(), ids=NULLABLE)
async def test_nullable_number_is_null(way, kind_of, returned, sent):
    """If OpenAPI allows null, a number without a JSON form is null, as with FastAPI."""
    plain = await answer_of("plain FastAPI", declared(kind_of, returned))
    ours = await answer_of(way, declared(kind_of, returned))

    assert plain.json() == ours.json() == sent


@dataclass
class Said:
    """A text, and one as a key."""

    text: str = ""
    by_text: dict[str, int] | None = None


class SaidModel(BaseModel):
    """A text of a model."""

    text: str


HALF = "a\ud83d"
HALVES = {
    "text": (str, HALF),
    "dataclass": (Said, Said(HALF)),
    "key": (Said, Said(by_text={HALF: 1})),
    "key of a dict": (dict[str, int], {HALF: 1}),
    "model": (SaidModel, SaidModel.model_construct(text=HALF)),
    "anything": (dict[str, Any], {"a": [HALF]}),
    "no type": (None, {"a": HALF}),
}


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("kind", ["get", "stream"])
@pytest.mark.parametrize(("kind_of", "returned"), HALVES.values(), ids=HALVES)
async def test_half_a_surrogate_pair_is_an_error(way, kind, kind_of, returned):
    """It can't be encoded as UTF-8: the answer is a 500, as with FastAPI, and not a part of it."""
    answer = await answer_of(way, declared(kind_of, returned, kind))

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


class Screen(Composition):
    """A composition of one part."""

    @critical
    async def name(self) -> str:
        return "Ada"


async def test_progressive_answer_ends_with_a_problem():
    """If the answer can't be encoded, the last line has a problem."""

    def declare(routes):
        @routes.get("/x", progressive=[early(Screen.name, lambda name, _: {"name": name})])
        async def x(page: Annotated[Screen, Depends(compose(Screen))]) -> Rated:
            await page.name()
            return Rated(NAN)

        headers = {"accept": "application/x-ndjson"}
        return Ask(is_compiled=True, options={"headers": headers})

    answer = await answer_of("the fast path", declare)

    first, last = map(json.loads, answer.text.splitlines())
    assert first["value"] == {"name": "Ada"}
    assert last["problem"]["code"] == "internal_error"
