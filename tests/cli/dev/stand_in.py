"""A program for the supervisor to run: serves its ready path, and misbehaves on demand."""

import argparse
import http.server
import signal
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Do what the options say, in the order in which they are listed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--say", default="hello", help="a line to print first")
    parser.add_argument("--exit", type=int, help="end at once with this status")
    parser.add_argument("--status", type=int, default=200, help="what the ready path answers")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    parser.add_argument("--worker", action="store_true", help="start a process of its own")
    parser.add_argument("--once", type=Path, help="end with 4 if this file exists, and create it")
    options = parser.parse_args()
    say(options.say)
    sigint = signal.getsignal(signal.SIGINT)
    say(f"SIGINT is {'ignored' if sigint is signal.SIG_IGN else 'heard'}")
    if options.exit is not None:
        sys.exit(options.exit)
    if options.once is not None:
        if options.once.exists():
            sys.exit(4)
        options.once.touch()
    if options.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.worker:
        command = (sys.executable, "-c", "import signal; signal.pause()")
        worker = subprocess.Popen(command)
        say(f"worker {worker.pid}")
    serve(options.port, options.status)


def say(line: str) -> None:
    """Write a line for the supervisor to follow."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def serve(port: int, status: int) -> None:
    """Answer every request with this status."""

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Ready).serve_forever()


if __name__ == "__main__":
    main()
