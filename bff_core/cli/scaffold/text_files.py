"""Edits docker-compose.yml and `.env.example`: text is inserted, all other bytes stay."""

import re

COMPOSE = "docker-compose.yml"
ENV_EXAMPLE = ".env.example"

WIDTH = 2
"""By how many spaces the blocks of templates are indented."""

SERVICES = re.compile(r"services:\s*(#.*)?$")
KEY = re.compile(r"""(?P<indent> +)(?P<quote>["']?)(?P<name>[\w.-]+)(?P=quote)\s*:(?:\s|$)""")
ENVIRONMENT = re.compile(r"^x-[\w-]+:\s*&gateway-environment\b")
PUBLISHED = re.compile(r"127\.0\.0\.1:(?:\$\{\w+:-)?(\d+)")
ANCHOR = re.compile(r"\*([\w-]+)")
VARIABLE = re.compile(r"^#?\s*(?:export\s+)?([A-Za-z_]\w*)=", re.MULTILINE)


class NoPlace(Exception):
    """The text has no place for the insertion; the message says why."""


def add_service(text: str, name: str, block: str) -> str:
    """Add a service to the end of the `services` of a Compose file.

    Raises `NoPlace` if the file has no services or lacks an anchor that the block uses.
    """
    lines = text.splitlines(keepends=True)
    if name in _services(lines):
        return text
    lacking = [one for one in ANCHOR.findall(block) if not re.search(rf"&{one}\b", text)]
    if lacking:
        raise NoPlace(f"it has no anchor &{lacking[0]}")
    start = _start_of_services(lines)
    if start is None:
        raise NoPlace("it has no `services:`")
    end = _end_of_section(lines, start)
    before, rest = "".join(lines[:end]), "".join(lines[end:])
    gap = "" if end == start + 1 else "\n"
    gap += "" if before.endswith("\n") else "\n"
    width = next((indent for _, indent in _services(lines).values()), WIDTH)
    inserted = f"{gap}{_indented(block.strip(chr(10)), width)}\n"
    return before + with_newlines_of(text, inserted) + rest


def add_environment(text: str, name: str, value: str) -> str:
    """Add a variable to the environment that the gateways of a Compose file share.

    Raises `NoPlace` if the file has none (`&gateway-environment`).
    """
    lines = text.splitlines(keepends=True)
    starts = (number for number, line in enumerate(lines) if ENVIRONMENT.search(line))
    start = next(starts, None)
    if start is None:
        raise NoPlace("it has no anchor &gateway-environment")
    end = _end_of_section(lines, start)
    if any(re.match(rf"\s+{re.escape(name)}\s*:", line) for line in lines[start:end]):
        return text
    keys = (KEY.match(line) for line in lines[start + 1 : end])
    indent = next((one["indent"] for one in keys if one), " " * WIDTH)
    before, rest = "".join(lines[:end]), "".join(lines[end:])
    gap = "" if before.endswith("\n") else "\n"
    return before + with_newlines_of(text, f"{gap}{indent}{name}: {value}\n") + rest


def published_ports(text: str, *, but: str) -> set[int]:
    """Return the ports of this machine that the services of a Compose file have, `but` one."""
    lines = text.splitlines(keepends=True)
    services = _services(lines)
    if but in services:
        start, _ = services[but]
        following = [number for number, _ in services.values() if number > start]
        del lines[start : min([*following, _end_of_section(lines, start)])]
    return {int(port) for port in PUBLISHED.findall("".join(lines))}


def add_variables(text: str, block: str) -> str:
    """Add those paragraphs of a block to `.env.example` whose variables are not in it."""
    known = set(VARIABLE.findall(text))
    paragraphs = re.split(r"\n{2,}", block.strip("\n"))
    wanted = [one for one in paragraphs if set(VARIABLE.findall(one)) - known]
    if not wanted:
        return text
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return text + with_newlines_of(text, gap + "\n\n".join(wanted) + "\n")


def _start_of_services(lines: list[str]) -> int | None:
    starts = (number for number, line in enumerate(lines) if SERVICES.match(line))
    return next(starts, None)


def _services(lines: list[str]) -> dict[str, tuple[int, int]]:
    """Return the services of a Compose file: the number of the line of each, and its indent."""
    start = _start_of_services(lines)
    if start is None:
        return {}
    section = range(start + 1, _end_of_section(lines, start))
    found = [(number, key) for number in section if (key := KEY.match(lines[number]))]
    width = min((len(key["indent"]) for _, key in found), default=0)
    return {key["name"]: (n, width) for n, key in found if len(key["indent"]) == width}


def _indented(block: str, width: int) -> str:
    """Return a block, which is indented by two spaces, with the indent of a file."""
    return re.sub(r"(?m)^(?:  )+", lambda found: " " * (len(found[0]) * width // WIDTH), block)


def _end_of_section(lines: list[str], start: int) -> int:
    """Return the number of the line behind the last indented line of a section."""
    end = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line[:1] in {" ", "\t"} and line.strip():
            end = number + 1
        elif line.strip() and not line.startswith("#"):
            break
    return end


def with_newlines_of(text: str, block: str) -> str:
    """Return a block with the line ends of the text that it goes into."""
    return block.replace("\n", newline_of(text))


def newline_of(text: str) -> str:
    """Return how most lines of a text end."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
