"""The page of what is live: sessions, callers near a limit, sagas that have not ended."""
