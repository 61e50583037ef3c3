"""What the Makefile calls; the standard library only, for it runs before anything is installed."""
