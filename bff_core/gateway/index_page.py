"""The page at `/` of a gateway in development: its screens, and links to console, API and health.

It is one file of HTML without scripts, and loads nothing.
"""

import inspect
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute

from bff_core.compat.fastapi import all_dependants, dependant_of, iter_route_contexts
from bff_core.gateway.icon import ICON_DATA
from bff_core.rest.compose import composition_of
from bff_core.routing.access import RouteAccess
from bff_core.routing.route_table import RouteEntry

_STYLE: Final = """
:root { color-scheme: light dark; --bg: light-dark(#F5F6F8, #0D1013);
  --surface: light-dark(#FFFFFF, #14181C); --line: light-dark(#DFE3E8, #282F37);
  --soft: light-dark(#ECEFF2, #1E242A); --hover: light-dark(#F0F2F5, #1A1F25);
  --ink: light-dark(#14181D, #ECEFF3); --ink-2: light-dark(#3F4853, #C3CBD4);
  --muted: light-dark(#5B6572, #98A3AF); --on-ink: light-dark(#FFFFFF, #0D1013);
  --sans: -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial,
    "Noto Sans", sans-serif;
  --mono: "SF Mono", SFMono-Regular, Menlo, "Cascadia Mono", Consolas, "Liberation Mono",
    monospace; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 13px/20px var(--sans); }
main { max-width: 880px; margin: 0 auto; padding: 48px 24px; }
h1 { font: 600 20px/28px var(--sans); margin: 0; }
h2 { font: 600 13px/20px var(--sans); margin: 0; padding: 12px 16px; }
p { margin: 4px 0 24px; color: var(--ink-2); }
nav { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 24px; }
a { color: inherit; text-underline-offset: 3px; text-decoration-color: var(--muted); }
nav a { padding: 6px 12px; border: 1px solid var(--line); border-radius: 6px;
  background: var(--surface); text-decoration: none; }
nav a:hover { background: var(--hover); }
nav a.first { background: var(--ink); border-color: var(--ink); color: var(--on-ink); }
a:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 10px;
  overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font: 11px/16px var(--sans); color: var(--muted); }
th, td { padding: 6px 16px; border-top: 1px solid var(--soft); vertical-align: top; }
tr:hover td { background: var(--hover); }
code { font: 12px/20px var(--mono); white-space: nowrap; }
td:last-child { color: var(--muted); white-space: nowrap; }
"""

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
    "; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

BY_FIELD: Final = "by field"
"""The access of GraphQL in the index."""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<link rel="icon" href="{icon}">
<style>{style}</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p>A gateway of this project, in development.</p>
<nav aria-label="Pages">{links}</nav>
<section>
<h2>{title}</h2>
<table>
<thead><tr><th scope="col">Route</th><th scope="col">What it returns</th>
<th scope="col">Screen</th><th scope="col">For</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</section>
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A route of the gateway: its summary, the screen that it shows, and who may call it.

    `operation` is its id in the OpenAPI document, empty without one.
    """

    route: str
    operation: str
    summary: str
    screen: str
    access: str


def index_page(name: str, links: Sequence[tuple[str, str]], rows: Sequence[IndexRow]) -> str:
    """Return the HTML; `links` are labels and addresses, the first one stands out.

    The second link is the API page, to which routes lead; its address has a query.
    """
    return _PAGE.format(
        icon=escape(ICON_DATA),
        name=escape(name),
        style=_STYLE,
        title="Screens" if rows else "No routes",
        links="".join(_links(links)),
        rows="\n".join(_row(one, links[1][1]) for one in rows),
    )


def index_response(page: str) -> HTMLResponse:
    """Return the answer with the page, which allows its own style and nothing else."""
    headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
    return HTMLResponse(page, headers=headers)


def rows_of(
    routes: Sequence[BaseRoute], rules: Sequence[RouteAccess], document: Mapping[str, Any]
) -> Iterator[IndexRow]:
    """Yield the routes that clients call, in their order.

    FastAPI's own and those of sign-in are left out. `rules` are the access rules of the gateway,
    `document` is its OpenAPI document.
    """
    known = {(one.path, one.methods): str(one.access) for one in rules}
    for context in iter_route_contexts(routes):
        entry = RouteEntry.of(context)
        is_graphql = type(entry.endpoint).__name__ == "GraphQLView"
        module = str(getattr(entry.endpoint, "__module__", ""))
        is_own = is_graphql or not module.startswith(("fastapi.", "bff_core."))
        if not (entry.methods and is_own and getattr(context.route, "include_in_schema", True)):
            continue
        dependant = dependant_of(context)
        found = () if dependant is None else all_dependants(dependant)
        screens = [screen.__name__ for one in found if (screen := composition_of(one.call))]
        summary = (inspect.getdoc(context.endpoint) or "").partition("\n")[0]
        yield IndexRow(
            route=f"{' '.join(sorted(entry.methods - {'HEAD'}))} {entry.path}",
            operation=_operation_id(document, entry),
            summary="GraphQL: the explorer shows its fields" if is_graphql else summary,
            screen=", ".join(dict.fromkeys(screens)),
            access=BY_FIELD if is_graphql else known.get((entry.path, entry.methods), ""),
        )


def _operation_id(document: Mapping[str, Any], entry: RouteEntry) -> str:
    """Return the id of a route's first operation; empty if the document does not have it."""
    item = document.get("paths", {}).get(entry.path, {})
    found = (item.get(method.lower(), {}).get("operationId") for method in sorted(entry.methods))
    return next((str(one) for one in found if one), "")


def _links(links: Sequence[tuple[str, str]]) -> Iterator[str]:
    for index, (label, address) in enumerate(links):
        kind = ' class="first"' if index == 0 else ""
        yield f'<a href="{escape(address)}"{kind}>{escape(label)}</a>'


def _row(row: IndexRow, api: str) -> str:
    query = {"kind": "rest", "op": row.operation} if row.operation else {"kind": "graphql"}
    address = f"{api}&{urlencode(query)}"
    cells = [
        f'<a href="{escape(address)}"><code>{escape(row.route)}</code></a>',
        *(escape(one) for one in (row.summary, row.screen, row.access)),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
