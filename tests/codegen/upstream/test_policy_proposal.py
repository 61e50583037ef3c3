"""The policy that a contract proposes for its service."""

import pytest

from tests.codegen.upstream.generated import NUMBER, TEXT, answers, code_of, document, get

DONE = {"204": {"description": "Done"}}
KEY = {"name": "idempotency-key", "in": "header", "schema": TEXT}


def proposed(paths, **members):
    """Return the proposed lines as one text."""
    return "\n".join(code_of(document(paths, **members)).policy)


@pytest.mark.parametrize(
    ("parameters", "expected"), [([], "policy = Policy(keyed=False)"), ([KEY], "policy = Policy()")]
)
def test_writes_have_keys_only_if_the_contract_has_them(parameters, expected):
    """A service that ignores the key would do a retried write twice."""
    item = {"post": {"operationId": "buy", "parameters": parameters, "responses": DONE}}

    assert proposed({"/x": item}).endswith(expected)


def test_some_writes_without_keys_are_named():
    """A person decides, and knows which."""
    paths = {
        "/a": {"post": {"operationId": "a", "parameters": [KEY], "responses": DONE}},
        "/b": {"patch": {"operationId": "b", "responses": DONE}},
    }
    found = proposed(paths)

    assert "no header Idempotency-Key for PATCH /b." in found
    assert found.endswith("policy = Policy()")


@pytest.mark.parametrize("header", ["ETag", "Cache-Control", "Last-Modified"])
def test_a_cache_where_replies_have_validators(header):
    """A documented validator or lifetime means that caching is meant, for each viewer alone."""
    responses = answers(NUMBER)
    responses["200"]["headers"] = {header: {"schema": TEXT}}

    found = proposed({"/x": get({}, responses=responses)})

    assert found.endswith("policy = Policy(cache=Cache())")
    assert "public=True" in found.partition("policy =")[0]


def test_further_statuses_with_a_retry_after_are_retried():
    """The defaults need no option; a 423 with a Retry-After does."""
    responses = {**answers(NUMBER)}
    for status in ("423", "503"):
        responses[status] = {"description": "Wait", "headers": {"Retry-After": {"schema": NUMBER}}}

    assert "retry=Retry(statuses=frozenset({423, 429, 500, 502, 503, 504}))" in proposed(
        {"/x": get({}, responses=responses)}
    )


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ({"type": "http", "scheme": "bearer"}, "credentials=Relay()"),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, '(secret="shop", header="X-Key")'),
        ({"type": "apiKey", "in": "query", "name": "k"}, "the key is in the query k"),
        ({"type": "http", "scheme": "basic"}, "credentials=Basic("),
        ({"type": "mutualTLS"}, "client_cert"),
    ],
)  # fmt: skip
def test_credentials_are_proposed_and_not_chosen(scheme, expected):
    """Which credentials are right depends on what the service may learn."""
    item = get(NUMBER, security=[{"main": []}])
    found = proposed({"/x": item}, securitySchemes={"main": scheme})

    assert expected in found.replace("\n# ", " ")
    assert found.endswith("policy = Policy()")


def test_statuses_that_clients_do_not_get_are_named():
    """A documented 400 or 428 may be the client's concern; 401 and 429 are the gateway's."""
    responses = answers(NUMBER)
    responses |= {status: {"description": "No"} for status in ("400", "401", "404", "428", "429")}

    assert "the statuses 400, 428 of the service" in proposed({"/x": get({}, responses=responses)})
