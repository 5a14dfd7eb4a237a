"""The database: sessions and transactions, column types, engine, migrations."""
