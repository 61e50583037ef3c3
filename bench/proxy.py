"""Compares proxied requests with those of other proxies: a small GET, and a large download."""

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.harness.comparison import Ground
from bench.harness.load import WrongAnswer
from bench.harness.nginx import Services, fill_in
from bench.harness.peers import (
    BFF,
    FOLDER,
    Peer,
    Place,
    Running,
    Skipped,
    build,
    serve_with_ours,
    started,
)
from bench.harness.procfs import cpu_seconds, read_tree
from bench.harness.programs import NotReady, free_ports, running, wait_until_ready
from bench.harness.report import Json, as_ratio
from bench.harness.sample import Sample, measure, median_of

CONFIGURATION = Path(__file__).parent / "upstream" / "files.conf"
MIB = 2**20
SIZE_MIB = int(os.environ.get("BENCH_DOWNLOAD_MIB", "1024"))
PIECE = 256 * 1024
SMALL = b'{"items":[' + b",".join(b'{"id":%d,"left":%d}' % (n, n) for n in range(100, 146)) + b"]}"
OURS = "proxy-bff"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a ratio to a peer has to be, and should be."""

    must: float
    goal: float


REQUESTS: Mapping[str, Limit] = {
    "proxy-go": Limit(1.5, 1.0),
    "proxy-node": Limit(1.0, 0.8),
}
"""The most CPU per request, over that of a peer."""

DOWNLOADS: Mapping[str, Limit] = {"proxy-nginx": Limit(0.25, 0.5)}
"""The fewest bytes per CPU second, over those of a peer."""


def serve_with_nginx(place: Place) -> list[str]:
    """Fill in the configuration of the nginx peer and return its command."""
    target = place.run / "proxy-nginx.conf"
    words = {"PORT": place.port, "RUN": place.run, "FILES": place.services.address("files")}
    fill_in(FOLDER / "proxy-nginx" / "nginx.conf", target, words)
    return ["nginx", "-e", "stderr", "-c", str(target)]


PROXIES = (
    Peer(
        OURS,
        serve_with_ours(),
        environment={**(BFF.environment or {}), "PYTHONPATH": str(FOLDER / OURS)},
    ),
    Peer(
        "proxy-go",
        lambda _: [str(FOLDER / "proxy-go" / "bin" / "proxy")],
        needs=("go",),
        build=("go", "build", "-o", "bin/proxy", "."),
        environment={"GOMAXPROCS": "1"},
    ),
    Peer(
        "proxy-node",
        lambda _: ["node", "--no-deprecation", str(FOLDER / "proxy-node" / "server.js")],
        needs=("node", "npm"),
        build=("npm", "ci", "--no-audit", "--no-fund"),
        environment={"NODE_ENV": "production"},
    ),
    Peer("proxy-nginx", serve_with_nginx, needs=("nginx",)),
)


@dataclass(frozen=True, slots=True)
class Download:
    """One download: bytes per CPU second of the proxy, and by how much its memory grew."""

    bytes_per_cpu_second: float
    seconds: float
    growth_mib: float


def measure_requests(ground: Ground) -> list[Json]:
    """Return a row for each proxy: CPU per proxied GET of 1 KB, and the ratio to ours."""
    taken: dict[str, list[Sample]] = {}
    with standing(ground) as (services, proxies):
        for _ in range(ground.plan.runs):
            for proxy in proxies:
                verify(proxy)
                sample = measure(proxy, services.pid, ground.plan, ground.cores)
                taken.setdefault(proxy.peer.name, []).append(sample)
    samples = {name: median_of(runs) for name, runs in taken.items()}
    return [request_row(name, sample, samples.get(OURS)) for name, sample in samples.items()]


def request_row(name: str, sample: Sample, ours: Sample | None) -> Json:
    """Return a row of the table of requests."""
    ratio = ours.cpu_us / sample.cpu_us if ours and name != OURS else None
    return {
        "proxy": name,
        "cpu_us": round(sample.cpu_us, 1),
        "rps": round(sample.rps),
        "p99_ms": round(sample.p99_ms, 2),
        "ours": "" if ratio is None else as_ratio(ratio),
        "verdict": verdict(ratio, REQUESTS.get(name), at_most=True),
        "disturbed": round(sample.disturbed, 2),
    }


def measure_downloads(ground: Ground) -> list[Json]:
    """Return a row for each proxy: how it passes a large body on, and the ratio of ours."""
    with standing(ground) as (_, proxies):
        taken = {proxy.peer.name: download(proxy) for proxy in proxies}
    ours = taken.get(OURS)
    return [download_row(name, found, ours) for name, found in taken.items()]


def download_row(name: str, found: Download, ours: Download | None) -> Json:
    """Return a row of the table of downloads."""
    ratio = None
    if ours is not None and name != OURS:
        ratio = ours.bytes_per_cpu_second / found.bytes_per_cpu_second
    return {
        "proxy": name,
        "mib_per_cpu_second": round(found.bytes_per_cpu_second / MIB),
        "seconds": round(found.seconds, 1),
        "growth_mib": round(found.growth_mib, 1),
        "ours": "" if ratio is None else as_ratio(ratio),
        "verdict": verdict(ratio, DOWNLOADS.get(name), at_most=False),
    }


def verdict(ratio: float | None, limit: Limit | None, *, at_most: bool) -> str:
    """Return whether a ratio meets its limit; empty if it has none."""
    if ratio is None or limit is None:
        return ""
    sign = "<=" if at_most else ">="
    meets = [(ratio <= one) if at_most else (ratio >= one) for one in (limit.goal, limit.must)]
    word = "goal met" if meets[0] else "must met" if meets[1] else "missed"
    return f"{word} (must {sign} {as_ratio(limit.must)}, goal {sign} {as_ratio(limit.goal)})"


@contextmanager
def standing(ground: Ground) -> Iterator[tuple[Services, Sequence[Running]]]:
    """Start the service and all proxies that can run here; say which can't."""
    with ExitStack() as stack:
        services = stack.enter_context(serving_files(ground))
        proxies = []
        for peer in PROXIES:
            try:
                build(peer, ground.run / f"{peer.name}-build.log")
                cores = str(ground.cores.gateway)
                proxies.append(
                    stack.enter_context(started(peer, services, run=ground.run, cores=cores))
                )
            except (Skipped, NotReady) as error:
                print(f"  {peer.name}: skipped: {error}", flush=True)
        yield services, proxies


@contextmanager
def serving_files(ground: Ground, *, size_mib: int = SIZE_MIB) -> Iterator[Services]:
    """Serve the small answer and the large file on the core of the load."""
    run, port = ground.run, free_ports(1)[0]
    (run / "small.json").write_bytes(SMALL)
    with (run / "large.bin").open("wb") as large:
        large.truncate(size_mib * MIB)
    configuration, log = run / "files.conf", run / "files.log"
    fill_in(CONFIGURATION, configuration, {"RUN": run, "FILES_PORT": port})
    command = ["nginx", "-e", "stderr", "-c", str(configuration)]
    cores = str(ground.cores.load)
    with running(command, cores=cores, log=log, environment={}) as process:
        wait_until_ready(process, port, "/screen/1", log)
        yield Services({"files": port}, process.pid)


def verify(proxy: Running) -> None:
    """Raise `WrongAnswer` unless a proxy passes the small answer on as it is."""
    status, body = fetched(proxy.port, "/screen/1")
    if status != b"200" or body != SMALL:
        raise WrongAnswer(f"{proxy.peer.name}: status {status!r}: {body[:120]!r}")


def fetched(port: int, path: str) -> tuple[bytes, bytes]:
    """Return status and body of a small answer."""
    with opened(port, path) as stream:
        status, length = head_of(stream)
        body = b""
        while len(body) < length and (piece := stream.read(length - len(body))):
            body += piece
        return status, body


def download(proxy: Running) -> Download:
    """Download the large file once to warm up, in part, and once to measure."""
    verify(proxy)
    received_of(proxy.port, 64 * MIB)
    forget_peaks(proxy.pid)
    idle, cpu, begun = memory(proxy.pid, "VmRSS"), cpu_seconds(proxy.pid), time.monotonic()
    received = received_of(proxy.port, SIZE_MIB * MIB)
    seconds, used = time.monotonic() - begun, cpu_seconds(proxy.pid) - cpu
    if received != SIZE_MIB * MIB:
        raise WrongAnswer(f"{proxy.peer.name}: {received} bytes of {SIZE_MIB} MiB")
    return Download(received / max(used, 0.01), seconds, (memory(proxy.pid, "VmHWM") - idle) / MIB)


def received_of(port: int, most: int, path: str = "/large") -> int:
    """Read up to `most` bytes of the large file; return how many there were."""
    with opened(port, path) as stream:
        status, length = head_of(stream)
        if status != b"200":
            raise WrongAnswer(f"status {status.decode()} for {path}")
        left, buffer = min(length, most), memoryview(bytearray(PIECE))
        while left and (size := stream.readinto(buffer[: min(left, PIECE)])):
            left -= size
        return min(length, most) - left


@contextmanager
def opened(port: int, path: str) -> Iterator[socket.SocketIO]:
    """Send a GET on a connection of its own; yield what is read from it."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        host = f"127.0.0.1:{port}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        with connection.makefile("rb", buffering=0) as stream:
            yield stream


def head_of(stream: socket.SocketIO) -> tuple[bytes, int]:
    """Return the status and the Content-Length; read byte by byte, so that no body is lost."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += stream.read(1) or b"\r\n\r\n"
    lines = head.lower().split(b"\r\n")
    lengths = [line for line in lines if line.startswith(b"content-length:")]
    return head.split(b" ")[1], int(lengths[0].partition(b":")[2]) if lengths else 0


def memory(root: int, field: str) -> int:
    """Return a size of a process tree in bytes: VmRSS now, VmHWM at the peaks."""
    total = 0
    for process in read_tree(root):
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        lines = [line for line in status.splitlines() if line.startswith(f"{field}:")]
        total += int(lines[0].split()[1]) * 1024 if lines else 0
    return total


def forget_peaks(root: int) -> None:
    """Make the peak of each process what it has now."""
    for process in read_tree(root):
        Path(f"/proc/{process.pid}/clear_refs").write_text("5", encoding="ascii")
