"""Alerts: a finding that lasts is sent once, again when it gets worse, every six hours while its
level is broken, and once more when it is over.

Alerts work without the database, because the database may be what broke: the state is in this
process (`records.py`) with copies in Valkey and, for the page, in the database. `watch.py` chooses
the one process that polls, `monitor.py` decides what to send, `outbox.py` retries messages that
could not be delivered, `handover.py` keeps these for the process that polls next, `channels.py`
sends.
"""
