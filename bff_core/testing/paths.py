"""Where files of tests are: relative paths begin at the file that names them."""

import inspect
from pathlib import Path


def beside_caller(path: str | Path) -> Path:
    """Return a path that is relative to the file which calls the caller of this function.

    Code without a file, such as that of a prompt, has the working directory.
    """
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame.f_back if frame is not None else None
    source = Path(frame.f_code.co_filename if frame is not None else "")
    return (source.resolve().parent if source.is_file() else Path.cwd()) / path
