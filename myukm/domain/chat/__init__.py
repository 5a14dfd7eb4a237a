"""Units (UKM) and their chat: messages, presence, unread."""
