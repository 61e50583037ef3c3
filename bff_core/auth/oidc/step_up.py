"""Step-up authentication: `acr_values` and `max_age` of a sign-in (RFC 9470)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bff_core.auth.jwt import Claims, instant_of
from bff_core.auth.refusal_reasons import CredentialsRefused

MAX_ACR_VALUES: Final = 256
"""Characters of `acr_values`."""

_are_values: Final = re.compile(r"[!-~]+(?: [!-~]+)*").fullmatch
_is_age: Final = re.compile(r"[0-9]{1,9}").fullmatch


@dataclass(frozen=True, slots=True)
class Strength:
    """The required authentication: of one of the classes, at most `max_age` seconds ago."""

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Strength":
        """Read the parameters of an authorization request; raises `ValueError` for wrong ones."""
        values, age = parameters.get("acr_values", ""), parameters.get("max_age", "")
        if values and (len(values) > MAX_ACR_VALUES or not _are_values(values)):
            raise ValueError("acr_values are names of up to 256 letters, separated by spaces")
        if age and not _is_age(age):
            raise ValueError("max_age is a number of seconds")
        return cls(tuple(values.split()), int(age) if age else None)

    def check(self, claims: Claims, *, began: float, wall: float, leeway: float) -> None:
        """Raise `CredentialsRefused` for an ID token of weaker or older authentication.

        (OpenID Connect Core, section 3.1.3.7, steps 12 and 13.) `began` is when the browser was
        sent to the provider: the time that its user spent there does not count.
        """
        if self.acr_values and claims.get("acr") not in self.acr_values:
            raise CredentialsRefused("acr")
        if self.max_age is not None:
            at = instant_of(claims, "auth_time", required=True)
            if not began - self.max_age - leeway <= at <= wall + leeway:
                raise CredentialsRefused("auth_time")
