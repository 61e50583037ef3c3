"""The pages of the shop: files without framework, build step or token of the browser's session."""

from bffs.web.pages.routes import router

__all__ = ["router"]
