"""Writes a typed `Upstream` from the OpenAPI document of a service."""

from bff_core.codegen.upstream.options import Generated
from bff_core.codegen.upstream.options import UpstreamOptions as Options
from bff_core.contracts.document import Document

__all__ = ["Generated", "Options", "generate"]


def generate(document: Document, options: Options) -> Generated:
    """Return the modules of a typed client for a service; the same for the same document."""
    raise NotImplementedError(options.service, document.title)
