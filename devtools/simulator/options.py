"""The simulator's options, and their forms in JSON and on the command line."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import blake2b
from typing import Any

from devtools.sample import STUDENTS
from devtools.simulator.faults import KINDS

Selection = float | frozenset[str]


class OptionError(ValueError):
    """Unknown option or unacceptable value; the message names it."""


@dataclass(frozen=True)
class Override:
    """A fixed response for one path: status, headers and body, sent unchanged."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Options:
    """All options; they can be set at the start and while the simulator runs.

    `fail`, `flaky` and `changes` select students by share (0.03: always the same 3 %; for each
    entry of `changes` its own 3 %) or by id. A flaky student fails `flaky_failures` times, then
    succeeds once, and so on. Each entry of `changes` adds one payment for the selected students.
    `outage` is the kind of fault that every request gets. Above `rate` requests per second the
    answer is `rate_status` with `retry_after`. `token` is the bearer token that requests must send.
    `override` has fixed responses by path.
    """

    students: int = STUDENTS
    latency_ms: tuple[float, float] = (0.0, 0.0)
    fail: Mapping[str, Selection] = field(default_factory=dict)
    flaky: Mapping[str, Selection] = field(default_factory=dict)
    flaky_failures: int = 1
    changes: tuple[Selection, ...] = ()
    outage: str | None = None
    rate: float | None = None
    rate_status: int = 429
    retry_after: str | None = "1"
    token: str | None = None
    gzip: bool = False
    etag: bool = True
    override: Mapping[str, Override] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the options in the form that `updated` accepts."""
        return {option.name: _plain(getattr(self, option.name)) for option in fields(self)} | {
            "latency_ms": "{:g}..{:g}".format(*self.latency_ms)
        }

    def updated(self, values: Mapping[str, Any]) -> "Options":
        """Return a copy with `values`, given in JSON or command-line form. Raises `OptionError`."""
        return replace(self, **{name: _parsed(name, value) for name, value in values.items()})


def fraction(salt: str, idperson: str) -> float:
    """Return a pseudo-random number from 0 to 1, determined by `salt` and the student."""
    digest = blake2b(f"{salt}:{idperson}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32


def _plain(value: Any) -> Any:
    if isinstance(value, Override):
        return asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | frozenset):
        return [_plain(part) for part in (sorted(value) if isinstance(value, frozenset) else value)]
    return value


def _parsed(name: str, value: Any) -> Any:
    if name not in _PARSERS:
        raise OptionError(f"{name}: no such option; there are {', '.join(_PARSERS)}")
    try:
        return _PARSERS[name](value)
    except (TypeError, ValueError, AttributeError) as error:
        raise OptionError(f"{name}: {value!r} is not acceptable ({error})") from None


def _latency(value: Any) -> tuple[float, float]:
    low, _, high = str(value).partition("..")
    spread = (float(low), float(high or low))
    if not 0 <= spread[0] <= spread[1]:
        raise ValueError("milliseconds such as 20 or 20..200")
    return spread


def _selection(value: Any) -> Selection:
    if isinstance(value, list | tuple | frozenset):
        return frozenset(str(part) for part in value)
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError("a share from 0 to 1, or a list of ids")
    return share


def _kind(value: str) -> str:
    if value not in KINDS:
        raise ValueError(f"one of {', '.join(KINDS)}")
    return value


def _by_kind(value: Mapping[str, Any]) -> dict[str, Selection]:
    return {_kind(kind): _selection(chosen) for kind, chosen in value.items()}


def _count(value: Any) -> int:
    number = int(value)
    if not 0 <= number <= 1_000_000:
        raise ValueError("a number from 0 to 1000000")
    return number


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _optional(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value in (None, "") else parse(value)


def _overrides(value: Mapping[str, Any]) -> dict[str, Override]:
    return {path: Override(**answer) for path, answer in value.items()}


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "students": _count,
    "latency_ms": _latency,
    "fail": _by_kind,
    "flaky": _by_kind,
    "flaky_failures": _count,
    "changes": lambda value: tuple(_selection(chosen) for chosen in value),
    "outage": _optional(_kind),
    "rate": _optional(float),
    "rate_status": int,
    "retry_after": _optional(str),
    "token": _optional(str),
    "gzip": _flag,
    "etag": _flag,
    "override": _overrides,
}
