"""The guides as pages with pictures: `make guides` writes them to `.artefacts/guides`.

A picture of a page is made by the tests (`tests/browser/test_guides.py`), so it is a product of the
build and not in the repository; a link to it would be broken wherever the Markdown itself is read.
So a guide has a line that no viewer shows, and here it becomes the picture:

    <!-- picture desk-ringing: A client rings -->

All documents for people that are in both languages are rendered, so that guides can link to them.
The folder needs no server and no network: open `index.html`, or hand it on.
"""

import html
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
PICTURES: Final = ROOT / ".artefacts" / "screenshots"
TARGET: Final = ROOT / ".artefacts" / "guides"
GUIDES: Final = ("agent", "supervisor", "admin")
LANGUAGES: Final = ("ru", "en")
MARK: Final = re.compile(r"^<!-- picture ([a-z0-9-]+): (.+) -->$", re.MULTILINE)
LINK: Final = re.compile(r"([a-z]+)(\.ru)?\.md(#.*)?")

PAGE: Final = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title} · Perezvon</title>
<style>
body {{ font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2024; background: #fff }}
a {{ color: #0b62c4 }}
img {{ max-width: 100%; border: 1px solid #ccd2d8; border-radius: 6px; display: block }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
th, td {{ border: 1px solid #ccd2d8; padding: .3rem .6rem; text-align: left; vertical-align: top }}
code {{ background: #eef1f4; padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere }}
pre {{ background: #eef1f4; padding: .8rem; overflow-x: auto }} pre code {{ padding: 0 }}
</style>
{body}
</html>
"""


def source(guide: str, language: str) -> str:
    return _path(guide, language).read_text(encoding="utf-8")


def pictures_in(text: str) -> list[str]:
    """Names of the pictures, in order."""
    return [name for name, _ in MARK.findall(text)]


def titles(text: str) -> list[str]:
    return [found.strip() for found in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]


def render(text: str, language: str, known: frozenset[str]) -> str:
    """`known`: documents that are rendered too; a link to another one becomes plain words."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    shown = MARK.sub(rf"![\2](../pictures/\1.{language}.png)", text)
    tokens = markdown.parse(shown)
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and after is not None:
            token.attrSet("id", _anchor(after.content))
        if token.children:
            token.children = list(_with_links(token.children, known))
    body: str = markdown.renderer.render(tokens, markdown.options, {})
    return PAGE.format(language=language, title=html.escape(titles(text)[0]), body=body)


def _path(name: str, language: str) -> Path:
    return DOCS / (f"{name}.md" if language == "en" else f"{name}.{language}.md")


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _with_links(tokens: list[Token], known: frozenset[str]) -> Iterator[Token]:
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrGet("href"))
            found = LINK.fullmatch(target)
            if found and found[1] in known:
                folder = "ru" if found[2] else "en"
                token.attrSet("href", f"../{folder}/{found[1]}.html{found[3] or ''}")
            dropped = "://" not in target and not target.startswith("#") and not found
            dropped = dropped or (found is not None and found[1] not in known)
        if not (dropped and token.type in {"link_open", "link_close"}):
            yield token


def _index(language: str) -> str:
    rows = "\n".join(
        f'<li><a href="{each}/{guide}.html">{html.escape(titles(source(guide, each))[0])}</a>'
        for each in LANGUAGES
        for guide in GUIDES
    )
    return PAGE.format(
        language=language, title="Perezvon", body=f"<h1>Perezvon</h1><ul>{rows}</ul>"
    )


def main() -> int:
    wanted = {
        f"{name}.{language}.png"
        for guide in GUIDES
        for language in LANGUAGES
        for name in pictures_in(source(guide, language))
    }
    if missing := sorted(name for name in wanted if not (PICTURES / name).exists()):
        print("The tests have not made these pictures:", ", ".join(missing))
        return 1
    shutil.rmtree(TARGET, ignore_errors=True)
    known = frozenset(each.name.removesuffix(".ru.md") for each in DOCS.glob("*.ru.md"))
    for language in LANGUAGES:
        (TARGET / language).mkdir(parents=True)
        for name in known:
            page = render(source(name, language), language, known)
            (TARGET / language / f"{name}.html").write_text(page, encoding="utf-8")
    (TARGET / "pictures").mkdir()
    for name in wanted:
        shutil.copy(PICTURES / name, TARGET / "pictures" / name)
    (TARGET / "index.html").write_text(_index(LANGUAGES[0]), encoding="utf-8")
    print(f"The guides with {len(wanted)} pictures: {TARGET / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
