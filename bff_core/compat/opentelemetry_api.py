"""Loads the API of OpenTelemetry, which FastAPI imports, whatever `OTEL_PROPAGATORS` names.

Its import raises a bare `ValueError` for a propagator that is not installed, such as `b3`, in every
program with FastAPI. It is imported here first, without the variable if need be: a gateway that
exports says what it supports (`otel_options`), and others don't use propagators.
"""

import os
from typing import Final

PROPAGATORS_VARIABLE: Final = "OTEL_PROPAGATORS"


def load_api() -> None:
    """Import the API if the variable is set and OpenTelemetry is installed."""
    named = os.environ.get(PROPAGATORS_VARIABLE)
    if not named:
        return
    try:
        import opentelemetry.propagate  # noqa: PLC0415 - see above
    except ImportError:
        return
    except ValueError:
        del os.environ[PROPAGATORS_VARIABLE]
        try:
            import opentelemetry.propagate  # noqa: F401, PLC0415 - see above
        finally:
            os.environ[PROPAGATORS_VARIABLE] = named


load_api()
