"""SWITCH: everything that knows the word channel."""
