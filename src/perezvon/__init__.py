"""Perezvon: a call centre on Asterisk in which no client's call is ever lost."""
