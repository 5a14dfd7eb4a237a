"""Files that people send in the chat: checked, stored, limited, swept."""
