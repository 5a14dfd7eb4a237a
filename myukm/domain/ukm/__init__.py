"""UKMs (student activity units): membership, settings, moderation, unread counts."""
