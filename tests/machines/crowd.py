"""People who chat through the proxy during a fault, and checks of what they received."""

import time
from collections import Counter
from typing import Self

from tests.faults.chatters import MessageSender, StreamClient
from tests.machines.campus import Machines
from tests.support.people import UKM
from tests.support.waiting import wait_until


class Crowd:
    """Two senders and four open streams, as long as the `with` block runs.

    A message that is not accepted within `timeout` seconds is a broken promise.
    """

    def __init__(self, machines: Machines, timeout: float = 30) -> None:
        self.machines, self.timeout = machines, timeout
        sessions = [machines.log_in(who) for who in ("member", "friend")]
        self.clients = [
            StreamClient(machines.url, machines.log_in(who), [UKM])
            for who in ("member", "friend", "member", "friend")
        ]
        name = f"{time.monotonic():.3f}"
        self.senders = [
            MessageSender(machines.url, f"{name}-{place}", [session], [UKM])
            for place, session in enumerate(sessions)
        ]

    def __enter__(self) -> Self:
        for client in self.clients:
            client.start()
        for client in self.clients:
            assert client.opened.wait(20), self.machines.logs()
        for sender in self.senders:
            sender.pause = 1.2  # under the flood guard's 20 messages in 10 s
            sender.timeout = self.timeout
            sender.start()
        return self

    def __exit__(self, *error: object) -> None:
        for sender in self.senders:
            sender.stopped.set()
        for sender in self.senders:
            sender.join(self.timeout + 10)
        if not error[0]:
            wait_until(self.all_received, 40, "every stream has all messages")
            print(self)
        for client in self.clients:
            client.stopped.set()

    def __str__(self) -> str:
        return (
            f"{len(self.accepted())} messages: at most {self.slowest_acceptance():.1f} s until"
            f" accepted, then {self.slowest_delivery():.1f} s until at a page;"
            f" other answers: {self.refusals()}"
        )

    def accepted(self) -> set[int]:
        """Return the ids of the messages that were accepted."""
        return {number for sender in self.senders for number in dict(sender.accepted)}

    def wait_for_messages(self, more: int, timeout: float = 40) -> None:
        """Wait until `more` further messages are accepted."""
        goal = len(self.accepted()) + more
        wait_until(lambda: len(self.accepted()) >= goal, timeout, f"{more} more messages")

    def wait_for_seconds(self, seconds: float) -> None:
        """Let the crowd chat for `seconds` seconds."""
        self.senders[0].stopped.wait(seconds)

    def all_received(self) -> bool:
        """Return whether each stream has all accepted messages."""
        wanted = self.accepted()
        return all(wanted <= set(client.received[UKM]) for client in self.clients)

    def broken_promises(self) -> list[str]:
        """Return the promises that were broken: nothing lost, doubled or out of order."""
        found = [problem for sender in self.senders for problem in sender.problems]
        for client in self.clients:
            ids = client.received[UKM]
            found += [f"twice: {client.twice}"] if client.twice else []
            found += ["out of order"] if ids != sorted(ids) else []
        return found

    def refusals(self) -> dict[int, int]:
        """Return the number of answers by status, without successes; status 0 is no answer."""
        return dict(sum((sender.refusals for sender in self.senders), Counter()))

    def slowest_acceptance(self) -> float:
        """Return the longest time until a message was accepted, in seconds."""
        return max(max(sender.seconds_taken) for sender in self.senders)

    def slowest_delivery(self) -> float:
        """Return the longest time from a message's acceptance until a stream had it, in seconds."""
        at = dict(pair for sender in self.senders for pair in sender.accepted_at.items())
        return max(
            when - at[number]
            for client in self.clients
            for number, when in client.received_at.items()
            if number in at
        )
