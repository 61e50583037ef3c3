"""`bff check`: the checks of a project's code and contracts that CI runs."""
