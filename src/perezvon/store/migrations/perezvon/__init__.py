"""Steps of the database of everything else, in order."""
