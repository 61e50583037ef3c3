"""OpenID Connect as a confidential client: sign-in, refresh, sign-out."""
