"""Hashing in a bounded pool, and hashes of an earlier version."""

import threading

import pytest
from argon2 import PasswordHasher
from flask import Flask

from myukm.db.session import transaction
from myukm.domain.accounts import accounts, passwords
from myukm.domain.accounts.threads import Pool
from myukm.errors import Unavailable
from myukm.extensions import db
from myukm.models import User
from tests.support.people import NAMES, PASSWORD
from tests.support.waiting import wait_until

NIM = NAMES["member"][0]


def test_a_full_pool_refuses_at_once() -> None:
    pool, finish, running, concurrent = Pool(2, max_waiting=3), threading.Event(), [], []

    def work() -> None:
        running.append(1)
        concurrent.append(len(running))
        finish.wait(10)
        running.pop()

    threads = [threading.Thread(target=pool.call, args=(work,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: pool._slots._value == 0 and len(running) == 2, what="two run, three wait")
    with pytest.raises(Unavailable) as busy:
        pool.call(work)
    assert busy.value.headers == {"Retry-After": "5"}
    finish.set()
    for thread in threads:
        thread.join()
    assert (len(concurrent), max(concurrent)) == (5, 2)
    assert pool.call(len, "abc") == 3


def test_hashing_with_the_current_settings_takes_at_most_20_megabytes() -> None:
    assert passwords.POOL.threads * passwords.HASHER.memory_cost <= 20 * 1024


def test_two_log_ins_at_once_may_replace_a_hash_of_an_earlier_version(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    other_log_ins = [accounts.log_in]

    def log_in_elsewhere_first(password: str) -> str:
        if other_log_ins:
            with app.app_context():
                other_log_ins.pop()(NIM, PASSWORD)
        return passwords.hash_password(password)

    monkeypatch.setattr(accounts, "hash_password", log_in_elsewhere_first)
    with app.app_context():
        with transaction() as session:
            user = session.get_one(User, people["member"])
            user.password_hash = PasswordHasher(memory_cost=64 * 1024).hash(PASSWORD)
        assert accounts.log_in(NIM, PASSWORD).user.nim == NIM


def test_a_hash_of_an_earlier_version_still_logs_in_and_is_replaced(
    app: Flask, people: dict[str, int]
) -> None:
    with app.app_context():
        with transaction() as session:
            user = session.get_one(User, people["member"])
            user.password_hash = PasswordHasher(memory_cost=64 * 1024).hash(PASSWORD)
        with pytest.raises(accounts.WrongCredentials):
            accounts.log_in(NIM, "salah")
        assert passwords.is_outdated(user.password_hash)
        for _ in range(2):
            assert accounts.log_in(NIM, PASSWORD).user.nim == NIM
            db.session.expire_all()
            assert not passwords.is_outdated(user.password_hash)
