"""Edits docker-compose.yml and `.env.example`: text is inserted, all other bytes stay."""

import re

COMPOSE = "docker-compose.yml"
ENV_EXAMPLE = ".env.example"

ANCHOR = re.compile(r"\*([\w-]+)")
VARIABLE = re.compile(r"^#?\s*(?:export\s+)?([A-Za-z_]\w*)=", re.MULTILINE)


class NoPlace(Exception):
    """The text has no place for the insertion; the message says why."""


def add_service(text: str, name: str, block: str) -> str:
    """Add a service to the end of the `services` of a Compose file.

    Raises `NoPlace` if the file has no services or lacks an anchor that the block uses.
    """
    if re.search(rf"^  {re.escape(name)}:", text, re.MULTILINE):
        return text
    lacking = [one for one in ANCHOR.findall(block) if not re.search(rf"&{one}\b", text)]
    if lacking:
        raise NoPlace(f"it has no anchor &{lacking[0]}")
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if re.match(r"services:\s*(#.*)?$", line)]
    if not starts:
        raise NoPlace("it has no `services:`")
    end = _end_of_section(lines, starts[0])
    before, rest = "".join(lines[:end]), "".join(lines[end:])
    gap = "" if end == starts[0] + 1 else "\n"
    gap += "" if before.endswith("\n") else "\n"
    inserted = f"{gap}{block.strip(chr(10))}\n"
    return before + with_newlines_of(text, inserted) + rest


def add_variables(text: str, block: str) -> str:
    """Add those paragraphs of a block to `.env.example` whose variables are not in it."""
    known = set(VARIABLE.findall(text))
    paragraphs = re.split(r"\n{2,}", block.strip("\n"))
    wanted = [one for one in paragraphs if set(VARIABLE.findall(one)) - known]
    if not wanted:
        return text
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return text + with_newlines_of(text, gap + "\n\n".join(wanted) + "\n")


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
    return block.replace("\n", "\r\n") if "\r\n" in text else block
