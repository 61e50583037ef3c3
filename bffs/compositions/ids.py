"""The ids that clients send."""

from typing import Annotated

from pydantic import Field

Id = Annotated[str, Field(max_length=64)]
"""The id of a product, a variant or an order."""
