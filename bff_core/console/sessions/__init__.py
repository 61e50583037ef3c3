"""The sessions page: sessions, callers near a limit, sagas that have not ended."""
