"""The payment sync: its runs, their lanes, what they write and tell."""
