"""Simulator of the payment API with injectable faults: real HTTP, in its own process."""

from devtools.simulator.client import Simulator

__all__ = ["Simulator"]
