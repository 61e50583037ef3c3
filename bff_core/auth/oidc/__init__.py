"""OpenID Connect, as a confidential client speaks it: sign in, refresh, sign out."""
