"""Server time of the report of received payments, after a year of changes.

    python -m bench.penerimaan [--turns 2500] [--today 20000] [--times 20] [--postgresql]

Writes a year of closed days, each with `--turns` journal rows (as many as 100,000 students cause),
and `--today` open rows. Then requests the page, the JSON and the CSV files, in this process
without a web server. The database has no students, because the report reads none.
"""

import argparse
import random
from datetime import date, timedelta

from sqlalchemy import insert

from bench.arguments import positive_int
from bench.report import percentile, row, tail_row
from bench.tunggakan import campus, log_in, response_ms
from myukm.db.session import transaction
from myukm.domain.income import journal
from myukm.domain.income.movements import Amounts
from myukm.models import ClosedDay, DailyBalance, PaymentJournal

DAYS = 365
UNITS = ("SD Islam", "MTs", "SMP", "MA", "SMK", "Institut")
CATEGORIES = tuple(f"Jenis {number}" for number in range(12))
REQUESTS = {
    "the page": ("/admin/penerimaan", "text/html"),
    "the page of a year ago": ("/admin/penerimaan?month={before}", "text/html"),
    "JSON": ("/admin/penerimaan", "application/json"),
    "CSV of a month": ("/admin/penerimaan.csv?month={before}", "text/csv"),
    "CSV of a year": ("/admin/penerimaan.csv", "text/csv"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=positive_int, default=2_500)
    parser.add_argument("--today", type=positive_int, default=20_000)
    parser.add_argument("--times", type=positive_int, default=20)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options = parser.parse_args()
    with campus(lambda: fill(options.turns, options.today), postgresql=options.postgresql) as app:
        with app.app_context():
            today = date.fromisoformat(journal.today())
        before = f"{today - timedelta(days=DAYS - 31):%Y-%m}"
        client = log_in(app)
        for name, (path, kind) in REQUESTS.items():
            address = path.format(before=before)
            taken = [response_ms(client, address, kind) for _ in range(options.times)]
            row(f"{name}, median", percentile(taken, 50), "ms")
            tail_row(name, taken, 95, "ms")


def fill(turns: int, open_rows: int) -> None:
    """Write closed days, their journal, and today's open rows."""
    rng = random.Random(1)
    today = date.fromisoformat(journal.today())
    places = [(unit, category) for unit in UNITS for category in CATEGORIES]
    for number in range(1, DAYS + 1):
        day = (today - timedelta(days=number)).isoformat()
        with transaction() as session:
            session.execute(insert(ClosedDay), [{"day": day}])
            balances = [amounts_row(rng, day, *place) for place in places]
            session.execute(insert(DailyBalance.__table__), balances)  # type: ignore[arg-type]
            rows = [
                amounts_row(rng, day, *rng.choice(places)) | {"closed": True} for _ in range(turns)
            ]
            session.execute(insert(PaymentJournal.__table__), rows)  # type: ignore[arg-type]
    with transaction() as session:
        rows = [amounts_row(rng, today.isoformat(), *rng.choice(places)) for _ in range(open_rows)]
        session.execute(insert(PaymentJournal.__table__), rows)  # type: ignore[arg-type]


def amounts_row(rng: random.Random, day: str, unit: str, category: str) -> dict[str, object]:
    """Return a row of the journal or of the balances, with random received payments."""
    amounts = dict.fromkeys(Amounts._fields, 0) | {"received": rng.randrange(10**7), "owed": 10**9}
    return {"day": day, "unit": unit, "category": category, **amounts}


if __name__ == "__main__":
    main()
