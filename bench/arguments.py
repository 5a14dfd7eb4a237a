"""Kinds of command-line values for argparse: a bench that divides by 0 would say so only at its
end."""

from argparse import ArgumentTypeError


def positive_int(text: str) -> int:
    """Return a whole number from 1 on. Raises `ArgumentTypeError`."""
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"{text} is not a whole number from 1 on")
    return int(text)


def positive_float(text: str) -> float:
    """Return a finite number above 0. Raises `ArgumentTypeError`."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ArgumentTypeError(f"{text} is not a number above 0")
    return number
