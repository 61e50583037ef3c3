"""Projects for the tests of the scaffold, made from the project template and a small gateway."""

import shutil
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bff_core.cli.scaffold.clients import Answers
from bff_core.cli.scaffold.gateways import NewGateway, new_gateway
from bff_core.cli.scaffold.init import NewProject, init_project
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.render import TEMPLATES
from bff_core.cli.scaffold.update import update

WHEEL = f"bff_core-{version('bff-core')}-py3-none-any.whl"

GATEWAY = {
    "wiring.toml": """\
[gateway]
app = "bffs.{{ gateway }}.app:app"
port = {{ port }}
{% if auth == "bearer" %}

[gateway.env]
BFF_AUTH = "demo"
{% endif %}
""",
    "bffs/{{ gateway }}/__init__.py": '"""The gateway."""\n',
    "bffs/{{ gateway }}/app.py": '''\
"""The gateway {{ gateway }} for {{ client }} clients."""

from bff_core import gateway
from bffs.{{ gateway }} import home

TIMEOUT = 5

app = gateway(
    "{{ gateway }}",
    faces=[home.views],
{% if auth != "none" %}
    authenticator={{ auth }}(),
{% endif %}
)
''',
    "bffs/{{ gateway }}/home.py": '''\
"""The home screen."""

from bff_core import Views

views = Views(prefix="/v1")
''',
    "bffs/{{ gateway }}/schema.py": "{% if graphql %}SCHEMA = 1\n{% endif %}",
    "tests/{{ gateway }}/test_home.py": '"""Tests of {{ gateway }}."""\n',
}

WIRED = {
    "env_example": "# Where {{ gateway }} is reached.\n# {{ gateway | upper }}_URL=\n",
    "compose": """\
  {{ gateway }}:
    <<: *gateway
    environment: { <<: *gateway-environment, PORT: "{{ port }}" }
    ports: ["127.0.0.1:{{ port }}:{{ port }}"]
""",
}


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The verbs, with templates that a test may change, in a folder of the test."""

    folder: Path
    templates: Path
    wheels: Path

    def init(self, name: str = "shop", folder: Path | None = None, **answers: object) -> Path:
        """Make a project and return its folder."""
        target = folder or self.folder / name
        wanted = NewProject(name, target, answers=Answers(**answers), wheels=self.wheels)
        init_project(wanted, templates=self.templates)
        return target

    def new(self, root: Path, name: str, **answers: object) -> Outcome:
        """Add a gateway to a project."""
        wanted = NewGateway(name, Answers(**answers))
        return new_gateway(wanted, root, templates=self.templates)

    def update(self, root: Path, **options: object) -> Outcome:
        """Bring a project to the present templates."""
        return update(root, templates=self.templates, **options)

    def template(self, path: str) -> Path:
        """Return the file of a template."""
        return self.templates / f"{path}.jinja"


def make_scaffold(folder: Path) -> Scaffold:
    """Return the verbs, over the project template and a small gateway template."""
    made = Scaffold(folder, folder / "templates", folder / "wheels")
    for name in ("project", "area"):
        shutil.copytree(TEMPLATES / name, made.templates / name)
    wiring = "".join(f"\n{key} = '''\n{text}'''\n" for key, text in WIRED.items())
    files = {**GATEWAY, "wiring.toml": wiring.lstrip("\n") + "\n" + GATEWAY["wiring.toml"]}
    for path, text in files.items():
        file = made.template(f"gateway/{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    made.wheels.mkdir()
    write_wheel(made.wheels / WHEEL)
    return made


def write_wheel(path: Path, name: str = "bff_core", release: str = "", **files: str) -> None:
    """Write a small wheel; keywords are the texts of modules of the package."""
    release = release or version("bff-core")
    info = f"{name}-{release}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {release}\n"
    tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        for module, text in {"__init__": "", **files}.items():
            archive.writestr(f"{name}/{module}.py", text)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", tag)
        archive.writestr(f"{info}/RECORD", "")


def contents(root: Path) -> dict[str, bytes]:
    """Return all files of a folder, by their path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
