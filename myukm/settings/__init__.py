"""The parts of `config.py`: where values come from, and how each kind is read and checked."""
