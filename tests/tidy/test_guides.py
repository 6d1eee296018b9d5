"""Guides for people: what they call by a name of the screen has that name, and twins are alike."""

import json
import re
from collections.abc import Iterator

import pytest

from scripts.guides import GUIDES, LANGUAGES, MARK, pictures_in, render, source
from tests.tidy.tree import ROOT

BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
NOT_ON_SCREEN = {"en": {"in bold"}, "ru": {"Жирным"}}


def _strings(language: str) -> set[str]:
    paths = (ROOT / "web" / "src").rglob(f"{language}.json")
    return {text for path in paths for text in json.loads(path.read_text("utf-8")).values()}


def unknown_names(text: str, language: str) -> Iterator[str]:
    """What is in bold and stands nowhere on the pages."""
    known = _strings(language) | NOT_ON_SCREEN[language]
    for found in BOLD.findall(text):
        name = " ".join(found.split())
        if name not in known:
            yield name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("guide", GUIDES)
def test_what_is_in_bold_is_on_the_screen(guide: str, language: str) -> None:
    assert list(unknown_names(source(guide, language), language)) == []


@pytest.mark.parametrize("guide", GUIDES)
def test_both_languages_have_the_same_pictures_at_the_same_places(guide: str) -> None:
    places = [
        re.findall(r"^(?:#+|<!-- picture [a-z0-9-]+:)", source(guide, language), re.MULTILINE)
        for language in LANGUAGES
    ]
    assert places[0] == places[1]
    assert len(set(pictures_in(source(guide, "en")))) == len(pictures_in(source(guide, "en")))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("guide", GUIDES)
def test_a_rendered_guide_shows_each_picture_and_leads_nowhere_else(
    guide: str, language: str
) -> None:
    text = source(guide, language)
    page = render(text, language, frozenset(GUIDES))
    assert page.count("<img ") == len(pictures_in(text)) > 0
    for name, words in MARK.findall(text):
        assert f'src="../pictures/{name}.{language}.png" alt="{words}"' in page
    links = re.findall(r'href="([^"]+)"', page)
    assert {link.partition("#")[0] for link in links} <= {
        "",
        *(f"../{each}/{other}.html" for each in LANGUAGES for other in GUIDES),
    }


def test_these_rules_bite() -> None:
    assert list(unknown_names("press **Fly**", "en")) == ["Fly"]
    assert not list(unknown_names("press **Go on\nshift**", "en"))
    assert "&lt;script&gt;" in render("# a\n\n<script>", "en", frozenset())
