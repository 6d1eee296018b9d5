"""SUPPOSE: a virtual world that drives the production engine."""
