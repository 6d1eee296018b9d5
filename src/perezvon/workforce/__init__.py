"""STAFF: how many people a load needs."""
