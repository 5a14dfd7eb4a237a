"""Accounts: making, finding, blocking them."""
