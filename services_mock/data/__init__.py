"""The shop's data before any write: a pure function of the seed."""
