"""Students: import, search, bills."""
