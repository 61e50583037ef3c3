"""Sagas: writes over several services as ordered steps with compensations."""
