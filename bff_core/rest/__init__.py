"""Serves views: endpoints that return tailored JSON and report which parts are missing."""
