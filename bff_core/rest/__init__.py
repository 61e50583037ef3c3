"""The REST face: views that answer with tailored JSON and say what is missing from it."""
