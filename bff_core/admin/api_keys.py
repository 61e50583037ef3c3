"""What an operator may have done with API keys: issue, list, rotate, revoke."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from bff_core.admin.endpoints import AdminAction
from bff_core.auth.api_keys.lifecycle import DAY, ApiKeys
from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.auth.authenticator import HasKeys
from bff_core.edge.json_errors import unreadable
from bff_core.errors import ConfigurationError, InvalidInput

T = TypeVar("T")

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Issue(msgspec.Struct, forbid_unknown_fields=True):
    """A key that is wanted; `lifetime` in seconds, 0 for one that does not end."""

    name: Text
    subject: Text
    tenant: str = ""
    scopes: list[Text] = []
    lifetime: Seconds = 0.0


class Rotate(msgspec.Struct, forbid_unknown_fields=True):
    """A key that is to be replaced, and for how many seconds it goes on beside its successor."""

    prefix: Text
    overlap: Seconds = DAY


class Revoke(msgspec.Struct, forbid_unknown_fields=True):
    """A key that is to end at once."""

    prefix: Text


def key_errands(owner: HasKeys) -> Mapping[str, AdminAction]:
    """Return the errands, by path; keys are asked for while the gateway runs."""

    def keys() -> ApiKeys:
        found = owner.keyring()
        if not isinstance(found, ApiKeys):
            raise ConfigurationError("this authenticator's keys are not issued here")
        return found

    async def issue(body: bytes) -> Mapping[str, object]:
        asked = _read(body, Issue)
        try:
            key, record = await keys().issue(
                asked.name,
                asked.subject,
                tenant=asked.tenant,
                scopes=asked.scopes,
                lifetime=asked.lifetime,
            )
        except ConfigurationError as error:
            raise InvalidInput(str(error)) from error
        return {"key": key, **_told(record)}

    async def listed(_: bytes) -> Mapping[str, object]:
        return {"keys": [_told(record) for record in await keys().listed()]}

    async def rotate(body: bytes) -> Mapping[str, object]:
        asked = _read(body, Rotate)
        key, record = await keys().rotate(asked.prefix, overlap=asked.overlap)
        return {"key": key, **_told(record)}

    async def revoke(body: bytes) -> Mapping[str, object]:
        asked = _read(body, Revoke)
        await keys().revoke(asked.prefix)
        return {"revoked": asked.prefix}

    return {
        "/operator/api-keys": AdminAction("GET", listed),
        "/operator/api-keys/issue": AdminAction("POST", issue),
        "/operator/api-keys/rotate": AdminAction("POST", rotate),
        "/operator/api-keys/revoke": AdminAction("POST", revoke),
    }


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error) from error


def _told(record: ApiKeyRecord) -> dict[str, object]:
    return {
        "prefix": record.prefix,
        "name": record.name,
        "subject": record.subject,
        "tenant": record.tenant,
        "scopes": sorted(record.scopes),
        "created_at": record.created_at,
        "expires_at": record.expires_at or None,
        "last_used_at": record.last_used_at or None,
    }
