"""Discovery: lists of endpoints that change while the gateway runs."""
