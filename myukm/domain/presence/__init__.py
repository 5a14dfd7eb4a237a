"""Presence: connections of users, their status (online, away, offline), publishing changes."""
