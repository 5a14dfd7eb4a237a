"""Simulated payment API, sample campus, embedded Valkey: used outside the program only."""
