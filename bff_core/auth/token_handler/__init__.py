"""The token handler: a browser holds a cookie, the gateway the tokens it stands for."""
