"""TOWN: callers, carrier and agents' phones played over real SIP by a second Asterisk."""
