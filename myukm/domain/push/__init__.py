"""Web Push: notifications on phones and desktops whose pages are closed.

`fan_out` decides who is notified and stores deliveries; `delivery` claims and sends them. Both run
in jobs, which may be lost or killed. So `watch`, a task of the leader, enqueues missing jobs and
releases the claims of killed jobs.
"""
