"""The record in SQLite or PostgreSQL, by one code: SQLAlchemy Core, migrations by Alembic."""
