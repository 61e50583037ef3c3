"""Commands behind the Makefile; standard library only, as they run before anything is installed."""
