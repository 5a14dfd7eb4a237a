"""The payment sync: runs, their lanes, and what they write and publish."""
