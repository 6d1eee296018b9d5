"""Every alert says in both languages what it means, in the program and in the guide alike."""

import re
from pathlib import Path
from typing import get_args

import pytest

from perezvon.metrics.explanation_words import LANGUAGES, Language
from perezvon.runtime.alert_words import MEANINGS, meaning
from perezvon.runtime.alerts import AlertKind

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "perezvon"
GUIDES: dict[Language, str] = {"en": "admin.md", "ru": "admin.ru.md"}


def test_every_kind_has_words_in_both_languages_and_no_words_are_left_over() -> None:
    assert set(LANGUAGES) == set(get_args(Language))
    assert set(MEANINGS) == set(AlertKind)
    for kind, words in MEANINGS.items():
        assert set(words) == set(LANGUAGES), kind
        for told in words.values():
            for part in (told.happened, told.callers, told.advice):
                assert re.fullmatch(r"\S.*\.", part), (kind, part)
        for part in (words["ru"].happened, words["ru"].callers, words["ru"].advice):
            assert re.search("[а-я]", part), (kind, part)


def test_a_kind_of_another_release_is_shown_as_it_is() -> None:
    assert meaning("moon_away", "ru").text == "moon_away"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_for_admins_says_of_each_alert_what_the_program_says(language: Language) -> None:
    guide = (ROOT / "docs" / GUIDES[language]).read_text(encoding="utf-8").replace("`", "")
    rows = re.findall(r"^\| (\w+) \| (.+) \| (.+) \| (.+) \|$", guide, re.MULTILINE)
    told = {kind: tuple(rest) for kind, *rest in rows if kind in set(AlertKind)}
    said = {
        kind.value: (words[language].happened, words[language].callers, words[language].advice)
        for kind, words in MEANINGS.items()
    }
    assert told == said


def test_every_kind_is_raised_by_some_part_of_the_program() -> None:
    raised = {
        name
        for layer in ("runtime", "asterisk", "bootstrap")
        for path in (SRC / layer).glob("*.py")
        if path.name != "alert_words.py"
        for name in re.findall(r"AlertKind\.([A-Z_]+)", path.read_text(encoding="utf-8"))
    }
    assert raised == {kind.name for kind in AlertKind}
