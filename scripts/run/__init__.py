"""`make run`: the whole shop as separate processes, watched, followed and stopped as one."""
