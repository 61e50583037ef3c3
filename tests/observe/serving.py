"""The failing gateway as real servers load it; environment variables set up its log."""

import logging.config
import os

from bff_core.settings.model import Settings
from tests.observe.failing_gateway import failing_gateway, nowhere

app = failing_gateway(settings=Settings.load({**os.environ, "BFF_UPSTREAM_DEAD": nowhere()}))

if os.environ.get("LAB_LOGGING"):
    logging.config.dictConfig(  # as people write it: loggers that it does not name are disabled
        {
            "version": 1,
            "filters": {"ids": {"()": "bff_core.observe.RequestIds"}},
            "formatters": {
                "text": {"format": "LAB %(levelname)s %(name)s [%(request_id)s] %(message)s"},
                "json": {"()": "bff_core.observe.JSONLines"},
            },
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "formatter": os.environ["LAB_LOGGING"],
                    "filters": ["ids"],
                }
            },
            "root": {"handlers": ["out"], "level": "INFO"},
            "loggers": {"shop": {"level": "INFO"}, "shop.lab": {"level": "INFO"}},
        }
    )
