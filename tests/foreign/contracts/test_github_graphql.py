"""GitHub's GraphQL schema (1.2 MB): read, and called by generated operations.

`make test-contracts` fetches it; without `CONTRACT_TOOLS=1` the tests are skipped.
"""

import os
import subprocess
import sys
from inspect import get_annotations

import msgspec
import pytest
from graphql import build_schema

from bff_core.codegen.graphql import GraphQLOptions, generate
from bff_core.contracts.graphql import load
from tests.codegen.graphql.answers import Answers, variables_of
from tests.codegen.graphql.generated import ROOT, complaints, imported
from tests.cpu_time import cpu_seconds
from tests.foreign.contracts.documents import github_graphql

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not os.environ.get("CONTRACT_TOOLS"), reason="CONTRACT_TOOLS=1 is not set"),
]

MAX_SECONDS = 6.0
"""CPU time to load the schema, and to generate."""

OPERATIONS = """
# scalar GitObjectID = str
fragment Repo on Repository { nameWithOwner stargazerCount createdAt primaryLanguage { name } }
query Repos($login: String!, $after: String) {
  organization(login: $login) {
    repositories(first: 50, after: $after) {
      nodes { ...Repo }
      pageInfo { hasNextPage endCursor }
    }
  }
}
query Thing($id: ID!) {
  node(id: $id) {
    id
    ... on Issue { title state author { login ... on User { name } } }
    ... on PullRequest { merged headRefOid }
  }
}
query Things($ids: [ID!]!) { nodes(ids: $ids) { id ... on Repository { ...Repo } } }
query Find($q: String!, $n: Int = 10) {
  search(query: $q, type: ISSUE, first: $n) {
    issueCount
    edges { node { ... on Issue { number labels(first: 3) { nodes { name } } } } }
  }
}
query Timeline($id: ID!) {
  node(id: $id) {
    ... on Issue {
      timelineItems(first: 10) {
        nodes { __typename ... on LabeledEvent { label { name } createdAt } }
      }
    }
  }
}
"""


@pytest.fixture(scope="module")
def sdl() -> str:
    """Return the schema in the form that is pinned."""
    return load(github_graphql())


def test_it_is_read_in_time():
    """The schema has a field twice and others deprecated unlike their interface."""
    path = github_graphql()

    assert cpu_seconds(lambda: load(path)) < MAX_SECONDS


@pytest.mark.parametrize("documents", [{}, {"operations/a.graphql": OPERATIONS}])
def test_responses_are_decoded(sdl, documents, tmp_path):
    """Each operation decodes responses with each type of its unions, and nulls."""
    options = GraphQLOptions("GitHub")
    made = generate(sdl, documents, options)
    schema = build_schema(sdl, assume_valid=True)
    answers = Answers(schema)

    with imported(made) as (operations, _):
        methods = vars(operations.GitHubOperations).items()
        models = {
            name: get_annotations(one, eval_str=False)["return"]
            for name, one in methods
            if callable(one) and not name.startswith(("_", "each_", "load_"))
        }
        for name, model in models.items():
            document = getattr(operations, name.upper())
            for _ in range(60):
                data = answers.answer(document, variables_of(schema, document))
                msgspec.convert(data, model)

    assert len(models) >= 5
    assert complaints(tmp_path, made) == ""
    assert cpu_seconds(lambda: generate(sdl, documents, options)) < MAX_SECONDS


def test_the_code_is_typed_strictly(sdl, tmp_path):
    """A type checker accepts ten thousand lines of models."""
    made = generate(sdl, {"operations/a.graphql": OPERATIONS}, GraphQLOptions("GitHub"))
    assert complaints(tmp_path, made) == ""

    done = subprocess.run(
        (sys.executable, "-m", "mypy", "--strict", "--config-file=", "-p", "shop"),
        cwd=tmp_path,
        env={"MYPYPATH": f"{ROOT}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
