"""Units (UKM): membership, settings, moderation, unread counts."""
