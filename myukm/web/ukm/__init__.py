"""A UKM's pages: the list, its members, its management."""
