"""The benchmark's screen as it is written today: FastAPI, one shared httpx client, gather."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

USERS = os.environ["USERS_URL"]
ORDERS = os.environ["ORDERS_URL"]
RECOMMENDATIONS = os.environ["RECOMMENDATIONS_URL"]


class User(BaseModel):
    """Whom the screen greets."""

    id: int
    name: str


class Order(BaseModel):
    """An order as the list shows it."""

    id: int
    total: float
    status: str


class Recommendation(BaseModel):
    """A product as the shelf shows it."""

    id: int
    title: str
    price: float


class Screen(BaseModel):
    """The whole screen."""

    user: User
    orders: list[Order]
    recommendations: list[Recommendation]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one client for the life of the process."""
    async with httpx.AsyncClient() as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


async def get_client(request: Request) -> httpx.AsyncClient:
    """Return the shared client."""
    client: httpx.AsyncClient = request.app.state.client
    return client


async def get_json(client: httpx.AsyncClient, url: str) -> object:
    """Return a service's decoded answer; raises for any status but a success."""
    response = await client.get(url)
    response.raise_for_status()
    return response.json()


@app.get("/screen/{user_id}", response_model=Screen)
async def get_screen(
    user_id: int, client: Annotated[httpx.AsyncClient, Depends(get_client)]
) -> dict[str, object]:
    """Answer with the three services' data, trimmed by the response model."""
    user, orders, recommendations = await asyncio.gather(
        get_json(client, f"{USERS}/users/{user_id}"),
        get_json(client, f"{ORDERS}/orders/{user_id}"),
        get_json(client, f"{RECOMMENDATIONS}/recommendations/{user_id}"),
    )
    return {"user": user, "orders": orders, "recommendations": recommendations}
