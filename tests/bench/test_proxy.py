"""The bench of proxies: real proxies on sockets, and the verdicts on their figures."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import proxy
from bench.harness import payloads
from bench.harness.comparison import Ground
from bench.harness.load import WrongAnswer
from bench.harness.machine import choose_cores
from bench.harness.nginx import Services
from bench.harness.peers import FOLDER, Running, started
from bench.harness.sample import Plan, Sample
from bench.proxy import MIB, OURS, PROXIES, SMALL, Download


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """Return the environment of a session without services of its own."""
    tmp_path.chmod(0o755)
    return Ground(Services({}, 0), payloads.generate(), tmp_path, choose_cores(), Plan())


@pytest.fixture
def nginx(ground: Ground) -> Iterator[Running]:
    """Run the proxy that needs no building, before the service."""
    (peer,) = [one for one in PROXIES if one.name == "proxy-nginx"]
    cores = str(ground.cores.gateway)
    with (
        proxy.serving_files(ground, size_mib=16) as services,
        started(peer, services, run=ground.run, cores=cores) as running,
    ):
        yield running


@pytest.mark.needs("nginx", "taskset")
def test_a_proxy_passes_the_small_answer_on(nginx: Running) -> None:
    """Its body is compared byte for byte."""
    proxy.verify(nginx)

    assert proxy.fetched(nginx.port, "/screen/7") == (b"200", SMALL)
    assert proxy.fetched(nginx.port, "/other")[0] == b"404"
    with pytest.raises(WrongAnswer, match="404"):
        proxy.received_of(nginx.port, 1, "/other")


@pytest.mark.needs("nginx", "taskset")
def test_a_download_is_measured_to_its_last_byte(nginx: Running) -> None:
    """The memory of the process that passes it on is read as well."""
    assert proxy.received_of(nginx.port, 32 * MIB) == 16 * MIB
    assert 0 < proxy.memory(nginx.pid, "VmRSS") <= proxy.memory(nginx.pid, "VmHWM")


def test_the_small_answer_is_1_kb_of_json() -> None:
    """As the limits of the comparison say."""
    assert 1000 <= len(SMALL) <= 1024
    assert json.loads(SMALL)


@pytest.mark.parametrize(
    ("peer", "theirs", "ratio", "word"),
    [
        ("proxy-go", 100.0, "1.00", "goal met"),
        ("proxy-go", 80.0, "1.25", "must met"),
        ("proxy-go", 60.0, "1.67", "missed"),
        ("proxy-node", 101.0, "0.99", "must met"),
        ("proxy-node", 99.0, "1.01", "missed"),
        ("proxy-nginx", 10.0, "10.00", ""),
    ],
)
def test_requests_are_judged_by_cpu_time(peer: str, theirs: float, ratio: str, word: str) -> None:
    """Ours over theirs, against the limits."""
    ours, other = (Sample(cpu, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0) for cpu in (100.0, theirs))
    row = proxy.request_row(peer, other, ours)

    assert row["ours"] == ratio
    assert str(row["verdict"]).startswith(word)
    assert proxy.request_row(OURS, ours, ours)["ours"] == ""


@pytest.mark.parametrize(
    ("theirs", "word"), [(100, "goal met"), (200, "goal met"), (400, "must met"), (401, "missed")]
)
def test_downloads_are_judged_by_bytes_per_cpu_second(theirs: int, word: str) -> None:
    """A quarter of nginx's is the least."""
    row = proxy.download_row(
        "proxy-nginx", Download(theirs * MIB, 1.0, 0.0), Download(100 * MIB, 1.0, 0.0)
    )

    assert str(row["verdict"]).startswith(word)


def test_lock_files_name_no_registry() -> None:
    """The packages of the peers are found by name and hash, wherever they come from."""
    text = (FOLDER / "proxy-node" / "package-lock.json").read_text()

    assert '"resolved"' not in text
    assert '"integrity"' in text
