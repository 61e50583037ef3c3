"""Writes the dashboards for Grafana: `python -m scripts.dashboards`."""
