"""A payment API that behaves as badly as it is told to: real HTTP, a process of its own."""

from devtools.simulator.client import Simulator

__all__ = ["Simulator"]
