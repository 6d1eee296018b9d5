"""KEEP: SQLAlchemy on SQLite and PostgreSQL, one file per noun."""
