"""What may be used again, for how long and by whom; where it is kept."""
