"""The timeouts and limits of the fault gateway, which its tests check."""

PART_TIMEOUT = 0.25
"""Seconds that the optional part of a page may take."""

CALL_TIMEOUT = 0.4
"""Seconds that a call to the catalog may take, hence its page."""

PAIR_ATTEMPT = 0.4
"""Seconds that one attempt at either of two endpoints may take."""

WINDOW = 1.0
"""Seconds that a breaker looks back upon; by default ten, so that here a minute takes six."""

OPEN_FOR, OPEN_FOR_MAX = 0.3, 0.6
"""Seconds that a circuit stays open, and for how long at most."""

EJECT_FOR = 0.5
"""Seconds for which an endpoint is ejected the first time."""

LOOKED_UP_EVERY, LAST_GOOD_FOR = 0.2, 1.0
"""Seconds between two look-ups of a name, and for how long its last addresses are good."""

QUOTA = 6
"""Requests a minute that one address has for what is limited."""

CONCURRENT, QUEUE = 50, 20
"""Calls that may be under way to the service of storms, and that may wait."""

FRESH = 1.0
"""Seconds that a cached price is fresh."""

LAST_GOOD = 600.0
"""Seconds that the last good reply serves while its service is down."""
