"""Amounts in words, as receipts have them: `seratus ribu rupiah`."""

from collections.abc import Callable, Iterator, Sequence

NIL = {"id": "nol", "en": "zero"}
ONES = {
    "id": ("satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"),
    "en": (
        *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
        *("eighteen", "nineteen"),
    ),
}
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
# The names of 1000, 1000², …
POWERS = {
    "id": ["ribu", "juta", "miliar", "triliun", "kuadriliun"],
    "en": ["thousand", "million", "billion", "trillion", "quadrillion"],
}


def in_words(sen: int, language: str) -> str:
    """Return an amount in sen in words, in `language` (id or en)."""
    rupiah, rest = divmod(abs(sen), 100)
    words = [*(["minus"] if sen < 0 else []), *_number(rupiah, language), "rupiah"]
    return " ".join([*words, *_number(rest, language), "sen"] if rest else words)


def _number(number: int, language: str) -> Sequence[str]:
    powers, below_thousand = POWERS[language], BELOW_THOUSAND[language]
    if number >= 1000 ** (len(powers) + 1):
        return [str(number)]
    words: list[str] = []
    for power in range(len(powers), 0, -1):
        count, number = divmod(number, 1000**power)
        if count == 1 and power == 1 and language == "id":
            words.append("seribu")
        elif count:
            words += [*below_thousand(count), powers[power - 1]]
    words += below_thousand(number)
    return words or [NIL[language]]


def _indonesian(number: int) -> Iterator[str]:
    """Yield the words of a number below a thousand; 1 before a unit is `se-`."""
    ones = ONES["id"]
    hundreds, rest = divmod(number, 100)
    if hundreds:
        yield from ["seratus"] if hundreds == 1 else [ones[hundreds - 1], "ratus"]
    tens, unit = divmod(rest, 10)
    if tens == 1:
        yield from ["sepuluh", "sebelas"][unit : unit + 1] or [ones[unit - 1], "belas"]
        return
    if tens:
        yield from (ones[tens - 1], "puluh")
    if unit:
        yield ones[unit - 1]


def _english(number: int) -> Iterator[str]:
    """Yield the words of a number below a thousand."""
    ones = ONES["en"]
    hundreds, rest = divmod(number, 100)
    if hundreds:
        yield from (ones[hundreds - 1], "hundred")
    if rest >= 20:
        tens, unit = divmod(rest, 10)
        yield TENS[tens - 2] + (f"-{ones[unit - 1]}" if unit else "")
    elif rest:
        yield ones[rest - 1]


BELOW_THOUSAND: dict[str, Callable[[int], Iterator[str]]] = {"id": _indonesian, "en": _english}
