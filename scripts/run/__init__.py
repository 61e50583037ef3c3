"""`make run`: runs the whole shop as separate processes, and shows their logs."""
