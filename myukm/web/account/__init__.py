"""Logging in, registering, and a person's own account."""
