"""Who is online: connections, the status from them, and who is told of changes."""
