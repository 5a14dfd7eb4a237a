"""The pages in the archive of a UKM: HTML that is read without a server and without scripts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

import msgspec
from flask_babel import format_datetime, format_decimal, get_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup

from myukm.db.types import to_iso8601, utcnow
from myukm.models import ChatFile, ChatMessage, Ukm

STYLE = """\
:root { color-scheme: light dark; --page: #f1f4f3; --text: #152022; --link: #0b5a6b; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0f1617; --text: #e5eceb; --link: #74cbdc; }
}
html { background: var(--page); color: var(--text); }
a { color: var(--link); }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 1rem 0 .25rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 0; font-size: 1rem; }
article { padding: .75rem 0; border-top: 1px solid #8884; }
article p { margin: .25rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
time, .note { font-size: .875rem; font-weight: normal; opacity: .75; }
blockquote { margin: .25rem 0; padding-left: .75rem; border-left: 3px solid #8888; opacity: .85; }
.files { margin: .5rem 0 0; padding: 0; list-style: none; }
.files img { max-width: 20rem; width: 100%; height: auto; border-radius: .5rem; }
.links { display: flex; gap: 1rem; margin: 0; padding: .5rem 0; }
.contents { margin: 1rem 0; padding: 0; list-style: none; }
.contents li { padding: .75rem 0; border-top: 1px solid #8884; }
"""
_FRAME = Markup(
    '<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<title>{title}</title>\n<link rel="stylesheet" href="{root}style.css">\n</head>\n'
    "<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
)
_ARTICLE = Markup(
    '<article id="{id}">\n<h2><bdi>{name}</bdi> <time datetime="{iso}">{at}</time>{edited}</h2>\n'
    "{quote}{text}{files}</article>\n"
)

_PICTURE = Markup('<img src="{}" alt="{}" width="{}" height="{}" loading="lazy">')


class Message(NamedTuple):
    """A message, and the files of it that are in the archive."""

    row: ChatMessage
    files: list[ChatFile]


class Page(msgspec.Struct):
    """A page of messages: the times of its first and last message, how many it has, the last id."""

    first: datetime
    last: datetime
    count: int
    last_id: int


def path(number: int) -> str:
    """Return the path of a page of messages in the archive, without `.html` or `.json`."""
    return f"messages/{number:05}"


def index(ukm: Ukm, members: int, pages: Sequence[Page]) -> str:
    """Return the start page, with links to the members and all pages of messages."""
    people = ngettext(
        "Daftar %(n)s anggota", "Daftar %(n)s anggota", members, n=format_decimal(members)
    )
    lines = [Markup('<li><a href="members.csv">{}</a></li>').format(people)]
    for number, page in enumerate(pages, 1):
        first, last = _day(page.first), _day(page.last)
        span = first if first == last else f"{first} – {last}"
        count = ngettext("%(n)s pesan", "%(n)s pesan", page.count, n=format_decimal(page.count))
        item = Markup('<li><a href="{}.html">{}</a> <span class="note">{}</span></li>')
        lines.append(item.format(path(number), span, count))
    note = _("Diekspor %(at)s. Pesan juga ada sebagai JSON di folder messages.", at=_time(utcnow()))
    body = Markup(
        '<h1 dir="auto">{}</h1>\n<p dir="auto">{}</p>\n<p class="note">{}</p>\n'
        '<ul class="contents">\n{}\n</ul>'
    )
    return _page(ukm.name, body.format(ukm.name, ukm.description, note, Markup("\n").join(lines)))


def messages(title: str, found: Sequence[Message], number: int, *, is_last: bool) -> str:
    """Return page `number` of the messages, with links to the pages before and after it."""
    links = [Markup('<a href="../index.html">{}</a>').format(_("Daftar isi"))]
    if number > 1:
        links.append(_link(number - 1, _("Sebelumnya")))
    if not is_last:
        links.append(_link(number + 1, _("Berikutnya")))
    links_line = Markup('<p class="links">{}</p>\n').format(Markup(" ").join(links))
    head = Markup('<h1 dir="auto">{}</h1>\n').format(title)
    articles = Markup("").join(_article(message) for message in found)
    return _page(title, links_line + head + articles + links_line, root="../")


def _link(number: int, text: str) -> Markup:
    return Markup('<a href="{:05}.html">{}</a>').format(number, text)


def _article(message: Message) -> Markup:
    row = message.row
    text = Markup('<p dir="auto">{}</p>\n').format(row.body) if row.body else ""
    return _ARTICLE.format(
        id=f"m{row.id}",
        name=row.user.name,
        iso=to_iso8601(row.created_at),
        at=_time(row.created_at),
        edited=" (" + _("diubah") + ")" if row.edited_at else "",
        quote=_quote(row),
        text=text,
        files=_files(message.files),
    )


def _quote(row: ChatMessage) -> Markup | str:
    if row.reply_to is None or row.reply_to.deleted_at:
        return ""
    quoted = row.reply_to.as_quote()
    form = Markup('<blockquote><b><bdi>{}</bdi></b> <span dir="auto">{}</span></blockquote>\n')
    return form.format(quoted["name"], quoted["message"] or _("Foto atau berkas"))


def _files(files: Sequence[ChatFile]) -> Markup | str:
    lines = []
    for file in files:
        url = f"../{quote(file.path)}"
        shown = Markup("<bdi>{}</bdi>").format(file.name)
        if file.is_picture:
            shown = _PICTURE.format(url, file.name, file.width, file.height)
        lines.append(Markup('<li><a href="{}">{}</a></li>').format(url, shown))
    return Markup('<ul class="files">{}</ul>\n').format(Markup("").join(lines)) if lines else ""


def _page(title: str, body: Markup, root: str = "") -> str:
    return _FRAME.format(lang=str(get_locale()), title=title, body=body, root=root)


def _day(moment: datetime) -> str:
    return str(format_datetime(moment, _("d MMM y")))


def _time(moment: datetime) -> str:
    return str(format_datetime(moment, _("d MMM y HH.mm")))
