"""Simulated payment API, sample campus, embedded Valkey: for the demo, tests, benches and tools only."""
