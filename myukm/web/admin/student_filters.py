"""The form of filters that the pages of students share."""

from dataclasses import replace
from typing import Any

from flask import request

from myukm.domain.siswa.choices import choices
from myukm.domain.siswa.filter_labels import NAMES, SORTS, chosen, text_of
from myukm.domain.siswa.filters import GROUPS, STATUSES, Filters, parse
from myukm.domain.siswa.verdict_labels import FILTERS

UNFILTERED = Filters()


def from_query() -> Filters:
    """Return the filters of the request's query. Raises `Invalid`."""
    return parse(request.args.to_dict(flat=False))


def form(filters: Filters) -> dict[str, Any]:
    """Return the variables of the form's template."""
    return {
        "filters": filters,
        "query": filters.query(),
        "is_filtered": replace(filters, sort="nama", group=None) != UNFILTERED,
        "chips": [(one, without(filters, one.name, one.value)) for one in chosen(filters)],
        "choices": choices(),
        "filter_names": NAMES,
        "groups_by": [(name, NAMES[name]) for name in GROUPS],
        "sorts": SORTS,
        "statuses": {name: FILTERS[name] for name in STATUSES},
        "words": FILTERS,
        "text_of": text_of,
        "here": request.full_path,
    }


def without(filters: Filters, name: str, value: Any) -> list[tuple[str, str]]:
    """Return the query without one value of a filter."""
    current = getattr(filters, name)
    if isinstance(current, tuple):
        return filters.query(**{name: tuple(one for one in current if one != value)})
    return filters.query(**{name: getattr(UNFILTERED, name)})
