"""The gateway of the phone apps: small answers over REST."""
