"""Simulated payment API, sample campus, embedded Valkey: used by demo, tests and benches, never
imported by `myukm`."""
