"""One machine with systemd: its units, and the upgrade of the program on it."""
