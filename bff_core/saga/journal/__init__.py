"""The journal of sagas: durable records, so that a crash loses no saga."""
