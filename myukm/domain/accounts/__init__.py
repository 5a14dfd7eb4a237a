"""Accounts: log-in, registration, passwords, photos, administration."""
