"""Screens in the console: plans, what each client gets, what happens if a service fails."""
