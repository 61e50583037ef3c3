"""Which settings an authenticator without arguments needs; one error names all that are missing."""

from bff_core.errors import ConfigurationError
from bff_core.settings.model import Settings
from bff_core.settings.values import PREFIX

IDENTITY = "identity"
"""The upstream of the issuer, unless the code names another."""


def require_settings(authenticator: str, settings: Settings, *fields: str) -> None:
    """Raise `ConfigurationError` with a line for each of these settings that is not set.

    "upstreams" stands for the address of the issuer, `BFF_UPSTREAM_IDENTITY`.
    """
    missing = [_line(field) for field in fields if not _is_set(settings, field)]
    if missing:
        raise ConfigurationError(
            "\n".join([f"{authenticator}() without arguments needs these variables:", *missing])
        )


def _is_set(settings: Settings, field: str) -> bool:
    if field == "upstreams":
        return IDENTITY in settings.upstreams
    value = getattr(settings, field)
    return bool(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def _line(field: str) -> str:
    name = f"upstream_{IDENTITY}" if field == "upstreams" else field
    return f"{PREFIX}{name.upper()} is not set: give {Settings.model_fields[field].description}."
