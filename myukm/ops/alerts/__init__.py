"""Alerts: a finding that lasts is sent once, again when it gets worse and every six hours while it
is broken, and once more when it is over.

It works without the database, because that may be what broke: the state is in this process
(`records.py`) with copies in Valkey and, for the page, in the database. `watch.py` chooses the one
process that polls, `monitor.py` decides what to send, `outbox.py` keeps what a receiver could not
take, `channels.py` sends.
"""
