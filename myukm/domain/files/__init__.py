"""Files of the chat: checks, storage, quotas, cleanup."""
