"""`bff check` of the reference project: its contracts are current, and its services fit them."""

import subprocess
import sys
from pathlib import Path

import pytest

from bff_core.cli.check.access_list import FILE, access_of, read_pin
from bff_core.cli.check.code import loaded_gateways
from bff_core.cli.check.releases import (
    graphql_of,
    openapi_of,
    pin_of_graphql,
    pin_of_openapi,
    pinned_changes,
)
from bff_core.contracts.openapi import normalised
from services_mock.shop import create_app
from tests.reference_project import GATEWAYS, PROJECT, ROOT, gateways_imported_anew


@pytest.fixture(scope="module")
def loaded():
    """Return the gateways of the reference project."""
    with pytest.MonkeyPatch.context() as patch, gateways_imported_anew():
        patch.chdir(ROOT)
        patch.setenv("BFF_ENV", "development")
        found, failed = loaded_gateways(PROJECT, GATEWAYS)
        assert not failed
        yield found


def test_the_pinned_access_rules_are_current(loaded):
    """A change of an access rule shows in the diff of contracts/access.txt."""
    pin = read_pin((ROOT / FILE).read_text())
    now = {title: rules for one in loaded for title, (rules, _) in access_of(one).items()}

    assert pin == now, "run: bff check --pin"


def test_the_pinned_contracts_are_current(loaded):
    """A change of a gateway's contract shows in the diff of its file, be it breaking or not."""
    for one in loaded:
        for now, path in (
            (openapi_of(one), pin_of_openapi(PROJECT, one)),
            (graphql_of(one), pin_of_graphql(PROJECT, one)),
        ):
            assert (now is not None) == path.is_file(), path
            if now is not None:
                assert pinned_changes(path.read_text(), now, path.name) == [], (
                    "run: bff check --pin"
                )


def test_the_services_are_as_their_contracts_say(tmp_path: Path):
    """The services of the reference project publish what is pinned, and the gateways fit it."""
    live = []
    for name, entry in PROJECT.services.items():
        if entry.contract:
            file = tmp_path / f"{name}.json"
            file.write_bytes(normalised(create_app(name).openapi()))
            live.append(f"--live={name}={file}")
    # A process of its own: in this one, tests have declared clients of the same names.
    done = subprocess.run(
        [Path(sys.executable).with_name("bff"), "check", *live],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(live) == 9
    assert (done.stdout.count("equals"), done.returncode) == (9, 0), done.stdout
    assert "!" not in done.stdout
