"""Builds the documentation: generated tables, the API reference, the site, the check of links."""
