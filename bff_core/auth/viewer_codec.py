"""How a viewer is written down for later: who it is, and nothing that proves it."""

from dataclasses import replace

import msgspec

from bff_core.auth.viewer import ANONYMOUS, Viewer


class ViewerCodec:
    """Keeps subject, tenant, scopes, client and criticality; sessions and tokens are left out."""

    def encode(self, viewer: object, /) -> str:
        """Return what may stand in a journal."""
        known = viewer if isinstance(viewer, Viewer) else ANONYMOUS
        return msgspec.json.encode(replace(known, session=None)).decode()

    def rights(self, viewer: object, /) -> str:
        """Return a digest of what the viewer may do."""
        return viewer.rights if isinstance(viewer, Viewer) else ""

    def decode(self, text: str, /) -> Viewer:
        """Return the viewer that it names; without a session."""
        return msgspec.json.decode(text, type=Viewer)
