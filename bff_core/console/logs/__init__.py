"""The lines of the processes that `bff dev` runs."""
