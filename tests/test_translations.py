"""Every Indonesian text of the source has its English translation in the catalogue."""

import ast
import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]
ENGLISH = ROOT / "myukm/translations/en/LC_MESSAGES/messages.po"
METHODS = [
    *((pattern, "python") for pattern in ("config.py", "demo/**.py", "myukm/**.py")),
    ("myukm/templates/**.html", "jinja2"),
]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "N_": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)[\d.,+-]*\w|%[sdr]|\{\w+\}")


@pytest.fixture(scope="module")
def english() -> Catalog:
    with ENGLISH.open("rb") as file:
        return read_po(file, locale="en")


def texts() -> dict[str, str]:
    """Return every text of the program by msgid, with its file and line."""
    found = extract_from_dir(str(ROOT), METHODS, keywords=KEYWORDS)
    return {
        (message if isinstance(message, str) else message[0]): f"{file}:{line}"
        for file, line, message, _, _ in found
    }


def test_every_text_has_an_english_one(english: Catalog) -> None:
    missing = [
        f"{place}: {text}"
        for text, place in texts().items()
        if not (found := english.get(text)) or not all(forms(found.string)) or found.fuzzy
    ]
    assert not missing, "\n".join(missing)


def test_no_text_is_hidden_in_an_f_string() -> None:
    """Because Babel finds no texts there before Python 3.12."""
    files = [*(ROOT / "myukm").rglob("*.py"), *(ROOT / "demo").rglob("*.py"), ROOT / "config.py"]
    hidden = [
        f"{file}:{call.lineno}"
        for file in files
        for string in ast.walk(ast.parse(file.read_text()))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in KEYWORDS
    ]
    assert hidden == []


def test_translations_keep_their_placeholders(english: Catalog) -> None:
    wrong = [
        (said, meant)
        for message in english
        for said, meant in zip(forms(message.id), forms(message.string), strict=True)
        if placeholders(said) != placeholders(meant)
    ]
    assert not wrong


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the one form of a text, or its singular and its plural."""
    return (text,) if isinstance(text, str) else tuple(text)


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def test_the_catalogue_has_no_unused_translations(english: Catalog) -> None:
    said = texts()
    ids = [m.id if isinstance(m.id, str) else m.id[0] for m in english if m.id]
    assert [text for text in ids if text not in said] == []


def test_the_compiled_catalogue_is_up_to_date(english: Catalog) -> None:
    compiled = BytesIO()
    write_mo(compiled, english)
    assert ENGLISH.with_suffix(".mo").read_bytes() == compiled.getvalue()
