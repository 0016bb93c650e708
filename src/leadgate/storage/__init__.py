"""SQL: the schema, its migrations, one file per store, and the two engines (SQLite with group commit, PostgreSQL with a pool)."""
