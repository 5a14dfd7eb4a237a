"""What a response decides about its student, and about students deferred before."""

import pytest

from myukm.domain.payment_api.client import from_status
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.gate import WINDOW, Gate
from myukm.domain.payment_api.retry_policy import FORBIDDEN_IN_A_ROW, RetryPolicy, Verdict
from myukm.domain.payment_api.work_item import Item


@pytest.fixture
def policy() -> RetryPolicy:
    """A policy of two tries."""
    return RetryPolicy(Gate(None), 2)


def item(number: int = 1) -> Item:
    return Item(number, str(number))


def test_a_failing_student_is_retried_up_to_the_number_of_tries(policy: RetryPolicy) -> None:
    student = item()
    failure = Failure("invalid_body", Action.RETRY)
    (again,) = policy.classify(student, failure, 0)
    assert again.retry_in
    assert 0 < again.retry_in < 1
    (done,) = policy.classify(student, failure, 0)
    assert done == Verdict(student)
    assert (student.answer, student.attempts) == (failure, 2)


def test_a_403_fails_the_student_unless_ten_come_in_a_row(policy: RetryPolicy) -> None:
    refused = from_status(403, None)
    for number in range(FORBIDDEN_IN_A_ROW - 1):
        assert policy.classify(item(number), refused, 0) == []
    assert policy.refused is None
    verdicts = policy.classify(item(99), from_status(404, None), 0)
    assert len(verdicts) == FORBIDDEN_IN_A_ROW
    for number in range(FORBIDDEN_IN_A_ROW):
        policy.classify(item(number), refused, 0)
    assert policy.refused == "forbidden"


def test_failures_in_an_outage_do_not_count_as_tries(policy: RetryPolicy) -> None:
    student, failure = item(), from_status(500, None)
    for number in range(WINDOW):
        policy.classify(item(number), failure, 0)
    assert policy.classify(student, failure, 0) == [Verdict(student, 0.0)]
    assert (student.tries, student.attempts) == (0, 1)


def test_a_last_failure_is_deferred_until_other_responses_decide(policy: RetryPolicy) -> None:
    student, failure = item(), from_status(500, None)
    policy.classify(student, failure, 0)
    assert policy.classify(student, failure, 0) == []
    assert policy.deferred == 1
    assert policy.review_deferred(idle=False) == []
    (done,) = policy.review_deferred(idle=True)
    assert done == Verdict(student)
    assert student.answer == failure
