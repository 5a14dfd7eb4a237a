"""Web Push: notifications on phones and desktops whose pages are closed.

`fan_out` decides who is notified and stores deliveries, `delivery` sends them; the claims of
`outbox`, which `watch` gives back, make both safe to kill. Everything happens in
jobs; whoever writes a message only publishes it.
"""
