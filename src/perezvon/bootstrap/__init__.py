"""COMPOSE: the only place that names concrete classes, one file per process."""
