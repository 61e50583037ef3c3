"""`python -m scripts.docs` rewrites the generated tables, builds the site and checks its links."""

import argparse
import functools
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from scripts.docs import site, tables
from scripts.docs.links import dead_links


def main() -> int:
    """Run the command line; return 1 if a link of the built site is dead."""
    options = _options()
    for path in tables.rewrite():
        print(f"rewrote the tables of {path.relative_to(site.ROOT)}")
    if options.action == "tables":
        return 0
    built = site.build()
    if built is None:
        return 1
    dead = dead_links(built)
    for link in dead:
        print(f"dead link: {link}", file=sys.stderr)
    if dead:
        return 1
    print(f"built {built.relative_to(site.ROOT)}/index.html")
    if options.action == "serve":
        _serve(built, options.port)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts.docs", description=__doc__)
    parser.add_argument("action", nargs="?", choices=("build", "serve", "tables"), default="build")
    parser.add_argument("--port", type=int, default=8080)
    return parser.parse_args()


def _serve(folder: Path, port: int) -> None:
    handler = functools.partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"serving http://127.0.0.1:{port}/ (end it with Ctrl+C)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    sys.exit(main())
