"""`bff dev`: runs the programs of a project, reloads them, and shows their requests."""
