"""A shop: the project of a user, which type checkers read in their strictest mode."""
