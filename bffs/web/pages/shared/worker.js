// Stores nothing yet.
