"""Steps of the engine's own database, in order."""
