"""Admin endpoints: reload policies, purge caches, manage API keys; and the purge webhook."""
