"""The containers start the system that `bff dev` starts, and Compose can read the file."""

import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from fnmatch import fnmatch
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from bff_core.cli.addresses import variable_of
from bff_core.server.options import ServerOptions
from tests.reference_project import OTHERS, PROJECT, SERVICES, programs

ROOT = Path(__file__).parents[1]
REDIS = "redis"
OPERATIONS = ROOT / "bff_core/operations"
OBSERVERS = ("collector", "prometheus", "grafana", "jaeger")
METRICS_PORT = "9464"
DEFAULT = re.compile(r"\$\{\w+:-(?P<value>[^}]*)\}")


@pytest.fixture(scope="module")
def containers() -> dict:
    """Read the containers as Compose sees them where no variable is set."""
    return {name: one for name, one in every_container().items() if name not in OBSERVERS}


@pytest.fixture(scope="module")
def observers() -> dict:
    """Read the containers of the profile `observability`."""
    return {name: one for name, one in every_container().items() if name in OBSERVERS}


def every_container() -> dict:
    """Read all containers but those of gateways that were added."""
    text = (ROOT / "docker-compose.yml").read_text()
    found = yaml.safe_load(DEFAULT.sub(lambda found: found["value"], text))["services"]
    return {name: one for name, one in found.items() if name not in OTHERS}


def read_yaml(path: str) -> dict:
    """Read one of the files for operators, with the defaults of its variables."""
    text = (OPERATIONS / path).read_text()
    return yaml.safe_load(re.sub(r"\$\{env:\w+:-([^}]*)\}", r"\1", text))


@pytest.fixture(scope="module")
def stages() -> list[list[tuple[str, str]]]:
    """Read the stages of the Dockerfile, each as pairs of instruction and argument."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    rows = [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]
    starts = [number for number, (word, _) in enumerate(rows) if word == "FROM"]
    return [rows[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


def test_compose_can_read_the_file():
    """The file fits the schema that the Compose project publishes."""
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")

    done = subprocess.run(
        (*command, str(ROOT / "docker-compose.yml")), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_containers_are_the_programs_of_make_run(containers):
    """Names and ports are the same as in `[tool.bff]`."""
    ports = {name: one["ports"] for name, one in containers.items() if name != REDIS}

    assert ports == {
        program.name: [f"127.0.0.1:{program.port.number}:{program.port.number}"]
        for program in programs().values()
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_listens_where_the_gateways_look_for_it(containers, name):
    """A service runs under its own name and port, on all addresses of its container."""
    port = str(PROJECT.services[name].port)
    command = containers[name]["command"]

    assert command == [
        *("python", "-m", "services_mock", name, "--host", "0.0.0.0", "--port", port)
    ]
    environ = programs()[name].env
    assert containers[name]["environment"] == {"PORT": port, **environ}


@pytest.mark.parametrize("name", PROJECT.gateways)
def test_a_gateway_knows_every_service_by_name(containers, name):
    """A gateway has the same settings as in `bff dev`, with the services at their containers.

    Its cache is shared in Redis besides, its sagas are in a folder that can be written to, and its
    log has the form that its settings choose. Prometheus can scrape it, and it exports no traces.
    """
    container, gateway = containers[name], PROJECT.gateways[name]
    environ = {key: value for key, value in programs()[name].env.items() if key != "BFF_LOG"}
    at_containers = {
        key: re.sub(r"127\.0\.0\.1", key.removeprefix("BFF_UPSTREAM_").lower(), value)
        for key, value in environ.items()
    }
    port = str(gateway.port)

    stores = {
        "BFF_CACHE_URL": f"redis://{REDIS}:6379/0",
        "BFF_JOURNAL_URL": "sqlite:////tmp/bff-journal.sqlite3",
    }
    observed = {
        "BFF_METRICS_PORT": METRICS_PORT,
        "BFF_METRICS_HOST": "0.0.0.0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
        "OTEL_TRACES_SAMPLER": "",
        "OTEL_TRACES_SAMPLER_ARG": "",
    }
    assert container["read_only"]
    assert container["tmpfs"] == ["/tmp"]
    assert container["environment"] == {**at_containers, **stores, **observed, "PORT": port}
    assert container["command"] == ["bff", "serve", gateway.app, "--port", port]
    assert set(container["depends_on"]) == {*SERVICES, REDIS}


def test_shared_state_is_private_and_never_on_disk(containers):
    """Redis is reached by the gateways alone, and forgets the oldest when it is full."""
    container = containers[REDIS]
    options = dict(pairwise(container["command"]))

    assert "ports" not in container
    assert container["user"] == "redis"
    assert (options["--save"], options["--appendonly"]) == ("", "no")
    assert (options["--maxmemory"], options["--maxmemory-policy"]) == ("256mb", "allkeys-lru")


@pytest.mark.needs("redis-server")
def test_redis_accepts_its_configuration(containers, tmp_path):
    """The options of the container start a Redis that answers."""
    _, *options = containers[REDIS]["command"]
    command = ("redis-server", "--port", "0", "--unixsocket", str(tmp_path / "redis"), *options)
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = iter(running.stdout.readline, "")
        is_ready = any("eady to accept connections" in line for line in lines)
        running.terminate()

    assert is_ready


def test_what_observes_starts_with_its_profile_only(containers, observers):
    """A plain `docker compose up` starts the shop and nothing else."""
    assert set(observers) == {*OBSERVERS}
    assert {name for name, one in observers.items() if one["profiles"] == ["observability"]} == {
        *OBSERVERS
    }
    assert [name for name, one in containers.items() if "profiles" in one] == []


def test_images_have_short_names_versions_and_variables():
    """Another registry or version is a variable: no file names a registry."""
    text = (ROOT / "docker-compose.yml").read_text()
    images = re.findall(r"image: \$\{(\w+)_IMAGE:-([\w./-]+):([\w.-]+)\}", text)

    assert [name.lower() for name, _, _ in images] == [*OBSERVERS]
    for _, image, version in images:
        assert "." not in image.partition("/")[0]
        assert re.fullmatch(r"v?\d+\.\d+\.\d+", version)


def test_what_observes_holds_no_more_power_than_it_needs(observers):
    """Read-only file systems, no capabilities, and pages for this machine only."""
    for container in observers.values():
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
        for port in container.get("ports", ()):
            assert port.startswith("127.0.0.1:")
        for volume in container.get("volumes", ()):
            source, _, mode = volume.split(":")
            assert mode == "ro"
            assert (ROOT / source).exists()


def test_prometheus_scrapes_each_gateway_and_the_collector(observers):
    """At the ports where they serve metrics, with rules that its folder has."""
    settings = read_yaml("prometheus/prometheus.yml")
    targets = {
        one["job_name"]: one["static_configs"][0]["targets"] for one in settings["scrape_configs"]
    }
    collector = read_yaml("otel-collector.yml")["exporters"]["prometheus"]["endpoint"]

    assert targets["gateways"] == [f"{name}:{METRICS_PORT}" for name in PROJECT.gateways]
    assert targets["collector"] == [collector.replace("0.0.0.0", "collector")]
    assert [
        one for one in settings["rule_files"] if not (OPERATIONS / "prometheus" / one).is_file()
    ] == []
    assert "--enable-feature=exemplar-storage" in observers["prometheus"]["command"]


def test_the_collector_receives_what_gateways_send_and_passes_it_on():
    """OTLP over HTTP at the port that the comment of the file names; traces go to Jaeger."""
    text = (ROOT / "docker-compose.yml").read_text()
    settings = read_yaml("otel-collector.yml")
    http = settings["receivers"]["otlp"]["protocols"]["http"]["endpoint"]

    assert f"OTEL_EXPORTER_OTLP_ENDPOINT=http://{http.replace('0.0.0.0', 'collector')} " in text
    assert settings["exporters"]["otlp_grpc"]["endpoint"] == "jaeger:4317"
    for pipeline in settings["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert {*pipeline[kind]} <= settings[kind].keys()


def test_grafana_has_its_sources_and_dashboards(observers):
    """Sources are containers at ports that they listen on; dashboards are where it looks."""
    sources = read_yaml("grafana/provisioning/datasources/datasources.yml")["datasources"]
    (provider,) = read_yaml("grafana/provisioning/dashboards/dashboards.yml")["providers"]
    grafana = observers["grafana"]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in grafana["volumes"]}
    dashboards = ROOT / mounted[provider["options"]["path"]]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert {one["uid"]: one["url"] for one in sources} == {
        "prometheus": "http://prometheus:9090",
        "jaeger": "http://jaeger:16686",
    }
    for name, port in (("prometheus", 9090), ("jaeger", 16686)):
        assert observers[name]["ports"][0].endswith(f":{port}")
    assert (dashboards / Path(home).name).is_file()
    assert (ROOT / mounted["/etc/grafana/provisioning"] / "dashboards").is_dir()


def test_each_port_variable_moves_its_gateway():
    """WEB_PORT and the others mean the same as for `bff dev`."""
    text = (ROOT / "docker-compose.yml").read_text()

    for name, gateway in PROJECT.gateways.items():
        assert f"127.0.0.1:${{{variable_of(name)}:-{gateway.port}}}:" in text


def test_the_image_serves_a_gateway(stages):
    """The command `bff serve` does, where a container is reached: on all addresses."""
    (command,) = [json.loads(argument) for word, argument in stages[-1] if word == "CMD"]
    settings = {
        key: value
        for word, argument in stages[-1]
        if word == "ENV"
        for key, _, value in (pair.partition("=") for pair in shlex.split(argument))
    }

    assert command[:3] == ["bff", "serve", "bffs.web.app:app"]
    assert settings["BFF_HOST"] == "0.0.0.0"


def test_compose_waits_until_a_gateway_has_drained(containers):
    """No request in flight is killed: delay and grace fit into the patience of Compose."""
    defaults = ServerOptions()

    for name in PROJECT.gateways:
        patience = float(containers[name]["stop_grace_period"].removesuffix("s"))
        assert patience > defaults.drain_delay + defaults.grace


def test_containers_hold_no_more_power_than_they_need(containers, stages):
    """The programs run as an ordinary user, on a read-only file system, without capabilities."""
    users = [argument for word, argument in stages[-1] if word == "USER"]

    assert users
    assert users[-1] not in {"0", "root"}
    for container in containers.values():
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]


def test_the_image_holds_only_what_it_runs(stages):
    """The last stage takes the installed environment and the two applications, nothing else."""
    copied = [argument.split() for word, argument in stages[-1] if word == "COPY"]

    assert copied == [
        ["--from=build", "/opt/bff", "/opt/bff"],
        ["services_mock", "services_mock"],
        ["bffs", "bffs"],
    ]


def test_everything_the_image_copies_is_there_and_let_in(stages):
    """Each copied path exists and is let through by .dockerignore, which shuts out all the rest."""
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    paths = [
        path
        for stage in stages
        for word, argument in stage
        if word == "COPY" and not argument.startswith("--from")
        for path in argument.split()[:-1]
    ]

    assert "*" in rules
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [path for path in paths if not any(fnmatch(path, f"{r}*") for r in let_in)] == []


def test_the_image_installs_locked_packages_only(stages):
    """Whatever comes from outside comes by hash; the project itself is installed offline."""
    steps = [
        step.strip()
        for word, argument in stages[0]
        if word == "RUN"
        for step in argument.split("&&")
        if "pip" in step and " install " in step
    ]

    assert len(steps) >= 3
    assert [s for s in steps if "--require-hashes" not in s and "--no-index" not in s] == []


@pytest.mark.slow
def test_the_image_has_a_health_check(stages, tmp_path):
    """The health check passes while the container's port answers /healthz, and fails after."""
    (check,) = [argument for word, argument in stages[-1] if word == "HEALTHCHECK"]
    _, *words = json.loads(check.partition("CMD ")[2])
    (tmp_path / "healthz").write_text("ok")
    serve = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever).start()
        alive = _status(*words, port=server.server_port)
        server.shutdown()
    dead = _status(*words, port=server.server_port)

    assert alive == 0
    assert dead != 0


def _status(*words: str, port: int) -> int:
    done = subprocess.run(
        (sys.executable, *words),
        env={**os.environ, "PORT": str(port)},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode
