"""What changed between two versions of a contract, and which gateways it touches."""

from bff_core.contracts.changes.openapi import openapi_changes

__all__ = ["openapi_changes"]
