"""A bench ends when the program that it polls does not move."""

import pytest

from bench.polling import states


def test_polling_goes_on_while_the_state_changes_and_ends_when_it_is_stuck():
    left = list(range(50))
    polled = states(lambda: left.pop() if len(left) > 1 else 0, 0.01, "the run", stuck=0.2)
    assert [next(polled) for _ in range(50)] == list(range(49, -1, -1))
    with pytest.raises(SystemExit, match=r"the run has not moved for 0\.2 s: 0"):
        list(polled)
