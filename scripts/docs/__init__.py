"""How the documentation is made: generated tables, the API reference, the site, its links."""
