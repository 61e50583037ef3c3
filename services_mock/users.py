"""The users service: customers and their preferences."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, Field

from services_mock.answers import answer
from services_mock.data import categories, users
from services_mock.data.users import Tier, User
from services_mock.pages import Key, Page, Paging, RequestedIds, batch, page
from services_mock.problems import invalid, not_found
from services_mock.service import assemble

Sort = Literal["id", "name", "-created_at"]

router = APIRouter(tags=["users"])


class PreferencesPatch(BaseModel, extra="forbid"):
    """The changed preferences; absent ones are unchanged."""

    newsletter: bool | None = None
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$")] = None
    favourite_categories: Annotated[tuple[str, ...] | None, Field(max_length=20)] = None


class People:
    """All customers: the seeded ones, and those that writes have changed since."""

    def __init__(self) -> None:
        self._changed: dict[str, User] = {}

    def find(self, user_id: str) -> User | None:
        """Return a customer, `None` if there is none of that id."""
        if not users.exists(user_id):
            return None
        return self._changed.get(user_id) or users.user(user_id)

    def get(self, user_id: str) -> User:
        """Return a customer or raise the problem 404."""
        found = self.find(user_id)
        if found is None:
            raise not_found("user", user_id)
        return found

    def put(self, user: User) -> None:
        """Store a changed customer."""
        self._changed[user.id] = user

    def everyone(self) -> list[User]:
        """Return all customers by id."""
        return [self.get(user_id) for user_id in users.everyone()]


async def _store(request: Request) -> People:
    store: People = request.app.state.store
    return store


Store = Annotated[People, Depends(_store)]


def _key(sort: Sort, user: User) -> Key:
    number = int(user.id)
    if sort == "name":
        return (user.name.family.casefold(), user.name.given.casefold(), number)
    if sort == "-created_at":
        return (-int("".join(filter(str.isdigit, user.created_at))), number)
    return (number,)


@router.get("/users", response_model=Page[User])
async def list_users(
    *,
    store: Store,
    ids: RequestedIds,
    window: Paging,
    country: Annotated[str | None, Query(pattern="^[A-Z]{2}$")] = None,
    tier: Tier | None = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    sort: Sort = "id",
) -> Response:
    """List customers."""
    if ids is not None:
        return answer(batch(ids, store.find))
    sought = (q or "").casefold()
    found = [
        user
        for user in store.everyone()
        if country in {None, user.country}
        and tier in {None, user.loyalty.tier}
        and (sought in user.name.full.casefold() or sought in user.email)
    ]
    found.sort(key=lambda user: _key(sort, user))
    within = f"users {sort} {country} {tier} {q}"
    listed = page(
        found, window, key=lambda user: _key(sort, user), load=lambda user: user, within=within
    )
    return answer(listed)


@router.get("/users/{user_id}", response_model=User)
async def get_user(store: Store, user_id: str) -> Response:
    """Return one customer."""
    return answer(store.get(user_id))


@router.patch("/users/{user_id}/preferences", response_model=User)
async def patch_preferences(store: Store, user_id: str, patch: PreferencesPatch) -> Response:
    """Change a customer's preferences."""
    unknown = set(patch.favourite_categories or ()) - set(categories.NODES)
    if unknown:
        raise invalid("body.favourite_categories", f"unknown: {', '.join(sorted(unknown))}")
    changed = users.with_preferences(
        store.get(user_id),
        newsletter=patch.newsletter,
        currency=patch.currency,
        favourite_categories=patch.favourite_categories,
    )
    store.put(changed)
    return answer(changed)


def create_app() -> FastAPI:
    """Return the users service."""
    return assemble(
        "users",
        router,
        summary="Customers, addresses, preferences",
        cache_control="private, max-age=60",
        store=People(),
    )
