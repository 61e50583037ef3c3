"""Composed answers, cached as bytes: found before anything is composed, stored afterwards."""
