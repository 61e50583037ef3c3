"""Serves a small schema, for one query."""

import strawberry

from bff_core import Viewer, gateway
from bff_core.auth import DemoAuthenticator
from bff_core.graphql import GraphQL
from bff_core.testing import client


async def answer_of(query, root, *, scopes=None, variables=None, headers=None, **schema):
    """Return the answer to a query, for an anonymous caller or a viewer with scopes."""
    face = GraphQL(strawberry.Schema(root, **schema))

    def make():
        return gateway("shop", faces=[face], authenticator=DemoAuthenticator(env="development"))

    viewer = {} if scopes is None else {"viewer": Viewer("ann", scopes=frozenset(scopes))}
    async with client(make, **viewer) as http:
        body = {"query": query, "variables": variables or {}}
        return (await http.post("/graphql", json=body, headers=headers)).json()


async def run_query(query, root, **options):
    """Return the data of an answer, and the codes of its errors."""
    answer = await answer_of(query, root, **options)
    return answer["data"], [one["extensions"]["code"] for one in answer.get("errors", ())]
