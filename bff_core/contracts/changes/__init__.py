"""What changed between two versions of a contract, and which gateways it touches."""

from bff_core.contracts.changes.addresses import find_operations
from bff_core.contracts.changes.affected import Affected, affected
from bff_core.contracts.changes.openapi import openapi_changes
from bff_core.contracts.changes.words import change_location

__all__ = ["Affected", "affected", "change_location", "find_operations", "openapi_changes"]
