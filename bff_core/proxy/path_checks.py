"""Checks of path templates: those that requests match, and those that a route forwards."""

import re
from collections.abc import Collection
from typing import Final

from bff_core.proxy.path_templates import parameters_of, segments_of
from bff_core.proxy.placeholders import placeholder_complaint
from bff_core.proxy.value_checks import nearest

MAX_PATH: Final = 1024
"""The longest template, in characters."""

MAX_SEGMENTS: Final = 32
TYPES: Final = ("str", "int", "float", "uuid", "path")
"""The types of parameters, as in FastAPI."""

_WRONG: Final[tuple[tuple[str, str], ...]] = (
    (r"^[a-z][a-z0-9+.-]*://", "is an address: write its path only"),
    (r"^(?!/)", "must begin with /"),
    (r"[?#]", "has a query or a fragment: a template is the path only"),
    (r"\\", "has a backslash, which no path of a request has"),
    (r"[\x00-\x20\x7f]", "has spaces or control characters"),
    (r"//", "has an empty segment: requests with // are not rewritten, and never match"),
    (r"(^|/)\.\.?(/|$)", "has a segment . or .., which no request has"),
)
_MATCHED: Final[tuple[tuple[str, str], ...]] = (
    (r"%", "is matched after decoding: write the character itself, not its %-encoding"),
)
_SENT: Final[tuple[tuple[str, str], ...]] = (
    (r"%(?![0-9A-Fa-f]{2})", "has a % that begins no encoding: write %25"),
    (r"(?i)(^|/)(\.|%2e){1,2}(/|$)", "has a segment . or .., encoded"),
)
_PARAMETER: Final = re.compile(r"\{[^{}]*\}")
_is_name: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch


def match_path_complaint(path: str) -> str:
    """Check the template that a request must match."""
    return _text_complaint(path, _MATCHED) or _parameters_complaint(path)


def forwarded_path_complaint(path: str) -> str:
    """Check the template of a forwarded path; its types are those of the matched one."""
    if complaint := _text_complaint(path, _SENT):
        return complaint
    for name in parameters_of(path):
        if "." in name and (complaint := placeholder_complaint(f"{{{name}}}")):
            return complaint
    if typed := re.search(r"\{([^{}:]*):[^{}]*\}", path):
        return f"has a type in {typed[0]}: write {{{typed[1]}}}"
    return ""


def unknown_parameter(path: str, known: Collection[str]) -> str:
    """Return the complaint about the first parameter that the matched path has not."""
    for given in parameters_of(path):
        name = given.removeprefix("route.")
        if "." not in name and name not in known:
            hint = nearest(name, sorted(known)) or "; that path has no parameters"
            return f"has {{{name}}}, which is no parameter of match.path{hint}"
    return ""


def prefix_complaint(text: str) -> str:
    """Check a prefix of a path, which is no template."""
    if not text:
        return ""
    if "{" in text or "}" in text:
        return "is a prefix, not a template: write it without { and }"
    return _text_complaint(text, _SENT)


def _text_complaint(path: str, further: tuple[tuple[str, str], ...]) -> str:
    if len(path) > MAX_PATH:
        return f"has {len(path)} characters, {MAX_PATH} at most"
    for pattern, complaint in (*_WRONG, *further):
        if re.search(pattern, _PARAMETER.sub("{}", path)):
            return complaint
    rest = _PARAMETER.sub("", path)
    if "{" in rest or "}" in rest:
        return "has a brace without its other half: write parameters as {name}"
    return ""


def _parameters_complaint(path: str) -> str:
    segments = segments_of(path)
    if len(segments) > MAX_SEGMENTS:
        return f"has {len(segments)} segments, {MAX_SEGMENTS} at most"
    names: set[str] = set()
    for segment in segments:
        # Two in one segment take time that is quadratic in the path.
        if len(segment.names) > 1:
            shown = "".join(f"{{{one}}}" for one in segment.names)
            return f"has several parameters in one segment, {shown}: match the segment as one"
        for name, kind in zip(segment.names, segment.types, strict=True):
            if complaint := _parameter_complaint(name, kind):
                return complaint
            if name in names:
                return f"has the parameter {{{name}}} twice: name them differently"
            names.add(name)
    if sum("path" in segment.types for segment in segments) > 1:
        return "has two parameters of type path: one may be"
    return ""


def _parameter_complaint(name: str, kind: str) -> str:
    if not _is_name(name):
        return f"has a parameter {name!r}: its name must be letters, digits and _, such as {{id}}"
    if kind and kind not in TYPES:
        return f"has {{{name}:{kind}}}, which is no type{nearest(kind, TYPES)}"
    return ""
