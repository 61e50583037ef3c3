"""Browser sessions: sign-in flow, stored sessions, cookies, CSRF protection, token refresh."""
