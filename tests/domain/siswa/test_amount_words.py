"""Amounts in words, as on a receipt."""

import pytest

from myukm.domain.siswa.amount_words import in_words

INDONESIAN = {
    0: "nol rupiah",
    1: "satu rupiah",
    10: "sepuluh rupiah",
    11: "sebelas rupiah",
    12: "dua belas rupiah",
    20: "dua puluh rupiah",
    21: "dua puluh satu rupiah",
    100: "seratus rupiah",
    101: "seratus satu rupiah",
    111: "seratus sebelas rupiah",
    999: "sembilan ratus sembilan puluh sembilan rupiah",
    1_000: "seribu rupiah",
    1_001: "seribu satu rupiah",
    1_100: "seribu seratus rupiah",
    2_000: "dua ribu rupiah",
    11_000: "sebelas ribu rupiah",
    21_000: "dua puluh satu ribu rupiah",
    100_000: "seratus ribu rupiah",
    101_000: "seratus satu ribu rupiah",
    350_000: "tiga ratus lima puluh ribu rupiah",
    1_000_000: "satu juta rupiah",
    1_001_000: "satu juta seribu rupiah",
    1_234_567: "satu juta dua ratus tiga puluh empat ribu lima ratus enam puluh tujuh rupiah",
    1_000_000_000: "satu miliar rupiah",
    1_000_000_000_000: "satu triliun rupiah",
    12_000_000_000_001: "dua belas triliun satu rupiah",
    999_000_000_001_000: "sembilan ratus sembilan puluh sembilan triliun seribu rupiah",
}
ENGLISH = {
    0: "zero rupiah",
    11: "eleven rupiah",
    21: "twenty-one rupiah",
    100: "one hundred rupiah",
    1_000: "one thousand rupiah",
    350_000: "three hundred fifty thousand rupiah",
    1_001_000: "one million one thousand rupiah",
    12_000_000_000_019: "twelve trillion nineteen rupiah",
}


@pytest.mark.parametrize(("rupiah", "words"), INDONESIAN.items())
def test_amounts_in_indonesian(rupiah: int, words: str) -> None:
    assert in_words(rupiah * 100, "id") == words


@pytest.mark.parametrize(("rupiah", "words"), ENGLISH.items())
def test_amounts_in_english(rupiah: int, words: str) -> None:
    assert in_words(rupiah * 100, "en") == words


@pytest.mark.parametrize(
    ("sen", "language", "words"),
    [
        (35_000_050, "id", "tiga ratus lima puluh ribu rupiah lima puluh sen"),
        (11, "id", "nol rupiah sebelas sen"),
        (150, "en", "one rupiah fifty sen"),
        (-35_000_000, "id", "minus tiga ratus lima puluh ribu rupiah"),
        (10**17, "id", "satu kuadriliun rupiah"),
    ],
)
def test_sen_and_signs(sen: int, language: str, words: str) -> None:
    assert in_words(sen, language) == words


def test_an_amount_too_large_for_words_is_written_in_digits() -> None:
    assert in_words(10**20, "id") == "1000000000000000000 rupiah"
