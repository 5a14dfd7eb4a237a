"""The sample campus in a database."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from demo.history import LOST, PAID_TODAY
from demo.seed import LEFT, SYNCED_EVERY, is_empty, load
from devtools.sample import ACCOUNTS, UKMS, student
from myukm.domain.accounts.passwords import verify
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, PaymentChange, Siswa, Ukm, User
from tests.conftest import every_database


@pytest.fixture
def loaded(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        assert is_empty()
        load(total=50)
        yield app


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@every_database
def test_the_sample_campus_fills_an_empty_database(loaded: Flask):
    assert not is_empty()
    assert count(Siswa) == 50 + LEFT
    assert count(User) == len(ACCOUNTS)
    assert count(Ukm) == 8
    assert count(Membership) == sum(len(ukm.members) for ukm in UKMS)
    assert count(ChatMessage) == sum(len(ukm.lines) for ukm in UKMS)


def test_students_have_the_fields_of_the_api_and_are_not_synced(loaded: Flask):
    wanted = student(3)
    siswa = db.session.scalars(select(Siswa).filter_by(idperson=wanted["idperson"])).one()
    assert (siswa.nama, siswa.phone) == (wanted["nama"], wanted["phone"])
    assert (siswa.unit_formal, siswa.kelas_formal) == (wanted["UnitFormal"], wanted["KelasFormal"])
    assert siswa.kamar_pondok == (wanted["KamarPondok"] or "")
    assert siswa.pembayaran is None
    assert siswa.synced_at is None


def test_the_printed_logins_work(loaded: Flask):
    for account in ACCOUNTS[:4]:
        user = db.session.scalars(select(User).filter_by(nim=account.nim)).one()
        assert user.role == account.role
        assert verify(user.password_hash, account.password)


def test_ukms_have_one_admin_and_numbered_published_messages(loaded: Flask):
    for ukm in db.session.scalars(select(Ukm)):
        admins = select(Membership).filter_by(ukm_id=ukm.id, is_admin=True)
        assert len(db.session.scalars(admins).all()) == 1
        messages = db.session.scalars(
            select(ChatMessage).filter_by(ukm_id=ukm.id).order_by(ChatMessage.id)
        ).all()
        assert [message.number for message in messages] == list(range(1, ukm.last_number + 1))
        assert all(message.published_at for message in messages)
        times = [message.created_at for message in messages]
        assert times == sorted(times)


def test_forty_students_have_paid_today(app: Flask):
    with app.app_context():
        load(total=(PAID_TODAY + 20) * SYNCED_EVERY)
        changed = select(func.count(PaymentChange.idperson.distinct()))
        assert db.session.scalar(changed) == PAID_TODAY + 2 * LOST
