"""`--help` and usage errors: Indonesian, English with MYUKM_LANG=en, with no server anywhere."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import click
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask

import config
from myukm import cli, create_app
from tests.support.programs import SECRET
from tests.support.without_valkey import NOBODY_LISTENS

CLICK_WORDS = Path(cli.__file__).parents[1] / "translations/id/LC_MESSAGES/click.po"
AWAY = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/myukm",
    "REDIS_URL": NOBODY_LISTENS,
    "SECRET_KEY": SECRET,
}


def app_in(language: str) -> Flask:
    return create_app(config.load({**AWAY, "MYUKM_LANG": language}))


def output_of(app: Flask, *words: str) -> str:
    return app.test_cli_runner().invoke(args=words, prog_name="flask").output


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield our groups and commands with the words that call them."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


def ours(app: Flask) -> list[tuple[tuple[str, ...], click.Command]]:
    names = [command.name for command in cli.COMMANDS]
    return [(path, command) for path, command in commands(app.cli) if path[0] in names]


def test_every_command_option_and_argument_is_explained_in_both_languages() -> None:
    indonesian, english = app_in("id"), app_in("en")
    for (path, here), (_, there) in zip(ours(indonesian), ours(english), strict=True):
        explained: Iterator[Any] = zip((here, *here.params), (there, *there.params), strict=True)
        for own, other in explained:
            assert own.help, f"{path}: {own.name}"
            assert own.help != other.help, f"{path}: {own.name} is not translated"


def test_help_is_written_in_the_campuss_language() -> None:
    for app, words, foreign in (
        (app_in("id"), ("Pemakaian: flask", "[OPSI]", "Opsi:", "Tampilkan bantuan ini."), "the"),
        (app_in("en"), ("Usage: flask", "[OPTIONS]", "Options:", "Show this message"), "yang"),
    ):
        for path, _ in ours(app):
            shown = output_of(app, *path, "--help")
            assert all(word in shown for word in words), shown
            assert not re.search(rf"\b({foreign}|TEXT|INTEGER|FLOAT)\b", shown), shown


def test_a_group_lists_its_commands_and_a_command_its_arguments() -> None:
    assert "Perintah:\n" in output_of(app_in("id"), "queue", "--help")
    assert "Argumen:\n" in output_of(app_in("id"), "ukm", "add", "--help")
    assert "PERINTAH [ARGUMEN]..." in output_of(app_in("id"), "sync", "--help")
    assert "COMMAND [ARGS]..." in output_of(app_in("en"), "sync", "--help")


@pytest.mark.parametrize(
    ("words", "indonesian", "english"),
    [
        (("sync", "begin"), "Tidak ada perintah 'begin'.", "No such command 'begin'."),
        (("sync", "start", "--xyz"), "Tidak ada opsi '--xyz'.", "No such option '--xyz'."),
        (("ukm", "create"), "Opsi belum diisi: '--name'.", "Missing option '--name'."),
        (("ukm", "add", "X"), "Argumen belum diisi: 'NIM'.", "Missing argument 'NIM'."),
        (
            ("sync", "history", "--limit", "0"),
            "Nilai tidak sah untuk '--limit': 0 di luar batas 1<=x<=1000.",
            "Invalid value for '--limit': 0 is not in the range 1<=x<=1000.",
        ),
        (
            ("sync", "history", "--limit", "x"),
            "Nilai tidak sah untuk '--limit': 'x' bukan angka yang sah.",
            "Invalid value for '--limit': 'x' is not a valid integer range.",
        ),
        (
            ("siswa", "import", "/nowhere.csv"),
            "Nilai tidak sah untuk '[BERKAS]': '/nowhere.csv' tidak ada.",
            "Invalid value for '[FILE]': File '/nowhere.csv' does not exist.",
        ),
        (
            ("user", "import", "/nowhere.csv"),
            "Nilai tidak sah untuk 'BERKAS.csv': '/nowhere.csv' tidak ada.",
            "Invalid value for 'FILE.csv': File '/nowhere.csv' does not exist.",
        ),
        (
            ("siswa", "list", "--filter", "x"),
            "Nilai tidak sah untuk '--filter': 'x' bukan salah satu dari 'belum', 'lunas', "
            "'lebih_bayar', 'tanpa_tagihan', 'belum_sinkron', 'gagal', 'tidak_cocok', "
            "'dibayar_turun', 'tagihan_hilang', 'aktif', 'nonaktif'.",
            "Invalid value for '--filter': 'x' is not one of 'belum', 'lunas', "
            "'lebih_bayar', 'tanpa_tagihan', 'belum_sinkron', 'gagal', 'tidak_cocok', "
            "'dibayar_turun', 'tagihan_hilang', 'aktif', 'nonaktif'.",
        ),
    ],
)
def test_wrong_use_is_answered_in_the_campuss_language(
    words: tuple[str, ...], indonesian: str, english: str
) -> None:
    for language, line in (("id", f"Kesalahan: {indonesian}"), ("en", f"Error: {english}")):
        done = app_in(language).test_cli_runner().invoke(args=words)
        assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, line)


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CLICK_WORDS.open("rb") as file:
        return read_po(file, locale="id")


def test_clicks_catalogue_has_exactly_its_messages(catalogue: Catalog) -> None:
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
    folder = str(Path(click.__file__).parent)
    found = extract_from_dir(folder, [("**.py", "python")], keywords=keywords)
    said = {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}
    said.add("required")  # translated by a variable, which no extraction sees
    written = {m.id if isinstance(m.id, str) else m.id[0] for m in catalogue if m.id}
    assert said == written
    assert all(all(m.string) for m in catalogue if m.id)


def test_the_compiled_catalogue_is_up_to_date(catalogue: Catalog) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    assert CLICK_WORDS.with_suffix(".mo").read_bytes() == compiled.getvalue()
