"""The kit that users test their gateways with: virtual time and scripted upstreams."""
