"""How the bench starts peers: really, on sockets, with what is installed."""

import json
from pathlib import Path

import pytest

from bench.harness import payloads
from bench.harness.answers import verify
from bench.harness.load import WrongAnswer
from bench.harness.machine import choose_cores
from bench.harness.nginx import fill_in, serving
from bench.harness.peers import FASTAPI, FOLDER, NGINX, PEERS, Peer, Skipped, build, started
from bench.harness.programs import NotReady


def test_a_peer_whose_program_is_missing_is_skipped_by_name(tmp_path: Path) -> None:
    """The report can say what to install."""
    peer = Peer("rust-hyper", lambda _: [], needs=("no-such-cargo",))

    with pytest.raises(Skipped, match="no-such-cargo not installed"):
        build(peer, tmp_path / "log")


@pytest.mark.needs("nginx", "taskset")
@pytest.mark.parametrize("peer", [FASTAPI, NGINX], ids=lambda peer: peer.name)
def test_a_peer_answers_the_screen(peer: Peer, tmp_path: Path) -> None:
    """Three services, one document: trimmed, or spliced where the peer says so."""
    tmp_path.chmod(0o755)
    cores, answers = choose_cores(), payloads.generate()
    right, wrong = answers.trimmed, answers.spliced
    if peer.answer == "spliced":
        right, wrong = wrong, right

    with (
        serving(answers, run=tmp_path, core=cores.load) as services,
        started(peer, services, run=tmp_path, cores=str(cores.gateway)) as gateway,
    ):
        verify(gateway, right)

        with pytest.raises(WrongAnswer):
            verify(gateway, wrong)


@pytest.mark.needs("nginx", "taskset")
def test_a_peer_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The end of its log is the reason."""
    tmp_path.chmod(0o755)
    core = choose_cores().load
    peer = Peer("broken", lambda _: ["python3", "-c", "raise SystemExit('no such port')"])

    with (
        serving(payloads.generate(), run=tmp_path, core=core) as services,
        pytest.raises(NotReady, match="no such port"),
        started(peer, services, run=tmp_path, cores=str(core)),
    ):
        pass


def test_a_configuration_has_no_word_left_to_fill_in(tmp_path: Path) -> None:
    """A misspelt word would only show when nginx refuses it."""
    target = tmp_path / "nginx.conf"
    words = {"RUN": tmp_path, "PORT": 1, "HERE": "/", "USERS": "a:1", "ORDERS": "b:1"}

    fill_in(FOLDER / "nginx-ssi" / "nginx.conf", target, {**words, "RECOMMENDATIONS": "c:1"})

    assert "@" not in target.read_text().replace("@capitals@", "")


def test_the_lock_of_the_node_peer_names_no_address() -> None:
    """Every user installs from a registry of their own."""
    lock = json.loads((FOLDER / "fastify-undici" / "package-lock.json").read_text())

    packages = {name: package for name, package in lock["packages"].items() if name}
    assert all("integrity" in package for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_the_bench_compares_the_peers_that_the_budget_names() -> None:
    """No name of a row changes by accident."""
    assert [peer.name for peer in PEERS] == [
        "bff",
        "fastapi-httpx",
        "fastify-undici",
        "go-net-http",
        "nginx-ssi",
        "bff-view-cache",
        "starlette-hello",
    ]
