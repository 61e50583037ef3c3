"""Who may use the console: developers on their machine, operators who signed in."""
