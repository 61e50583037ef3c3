"""Admin endpoints: read policies again, purge caches, manage API keys; and the purge webhook."""
