"""Engines, tables, migrations, blob stores and the vector index."""
