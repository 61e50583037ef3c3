"""The reference gateways bound how often callers ask, and tell them where they stand."""

import pytest

HOME = "{ home { viewer { name } } }"
REQUESTS = {
    "web": {"method": "POST", "url": "/graphql", "json": {"query": HOME}},
    "mobile": {"method": "GET", "url": "/v1/home"},
    "desktop": {"method": "GET", "url": "/v1/dashboard"},
}
POLICIES = {
    "web": '"viewer-requests";q=6000;w=60',
    "mobile": '"viewer-requests";q=6000;w=60',
    "desktop": '"viewer-calls";q=30000;w=60;qu="calls"',
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_answers_tell_where_the_caller_stands(open_gateway, name):
    """REST and GraphQL alike: by address, and by viewer."""
    async with open_gateway(name) as client:
        answer = await client.request(**REQUESTS[name])

    by_address = '"address-requests";q=60000;w=60'
    assert answer.status_code == 200
    assert answer.headers["ratelimit-policy"] == f"{by_address}, {POLICIES[name]}"
    assert answer.headers["ratelimit"].startswith('"address-requests";r=')
