"""The demo: a sample campus, a payment-API simulator, and a supervisor that runs every part."""
