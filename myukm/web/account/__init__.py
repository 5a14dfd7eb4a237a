"""Log-in, registration, and the user's own account."""
