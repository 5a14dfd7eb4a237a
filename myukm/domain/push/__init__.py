"""Web Push: notifications on phones and desktops whose pages are closed.

`fan_out` decides who is notified and stores deliveries, `delivery` claims and sends them, both in
jobs that may be killed: `watch`, a task of the leader, enqueues what a lost job left and releases
the claims of dead ones.
"""
