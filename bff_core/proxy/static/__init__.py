"""Static files: names that are served, stored files, conditions, ranges, answers."""
