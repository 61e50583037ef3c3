"""Encodes the viewer of a saga for the journal: identity and rights, without credentials."""

from dataclasses import replace

import msgspec

from bff_core.auth.viewer import ANONYMOUS, Viewer


class ViewerCodec:
    """Encodes a viewer as JSON, without its session."""

    def encode(self, viewer: object, /) -> str:
        """Return the viewer as JSON; an anonymous one for any other object."""
        known = viewer if isinstance(viewer, Viewer) else ANONYMOUS
        return msgspec.json.encode(replace(known, session=None)).decode()

    def rights(self, viewer: object, /) -> str:
        """Return the digest of the viewer's rights."""
        return viewer.rights if isinstance(viewer, Viewer) else ""

    def decode(self, text: str, /) -> Viewer:
        """Return the viewer of a JSON text; it has no session."""
        return msgspec.json.decode(text, type=Viewer)
