"""Load shedding: refuses the least important requests first when a process has too many."""
