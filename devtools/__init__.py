"""Simulated payment API, sample campus, embedded Valkey: for demo, tests and benches alone."""
