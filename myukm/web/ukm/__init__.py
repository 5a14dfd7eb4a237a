"""Pages of UKMs: the user's list, members, settings, reports."""
