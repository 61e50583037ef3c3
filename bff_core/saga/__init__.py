"""Write compositions: ordered steps over several services, undone in reverse where one fails."""
