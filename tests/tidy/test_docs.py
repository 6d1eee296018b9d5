"""Documents say what is true: commands exist, links lead somewhere, both languages agree."""

from pathlib import Path

import pytest
import typer
from fastapi.routing import APIRoute

from perezvon.api.app import NOUNS
from perezvon.api.app import PREFIX as API
from perezvon.cli import make
from perezvon.settings import Settings
from perezvon.store import plan_file
from tests.tidy import documents
from tests.tidy.tree import ROOT, files, name_of, text

DOCUMENTS = tuple(path for path in files() if path.suffix == ".md")
TRANSLATIONS = tuple(path for path in DOCUMENTS if path.name.endswith(".ru.md"))
GUIDES = (
    "README",
    "docs/admin",
    "docs/network",
    "docs/supervisor",
    "docs/agent",
    "docs/integrator",
)
"""For people who do not program: in Russian and in English."""
MAKEFILE = text(ROOT / "Makefile")
ROUTES = tuple(
    (method, f"{API}{route.path}")
    for noun in NOUNS
    for route in noun.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
)
KNOWN_SETTINGS = {*Settings.model_fields, "settings"}


def _program() -> documents.Command:
    return typer.main.get_command(make())


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_what_a_document_names_is_there(path: Path) -> None:
    content = text(path)
    assert not [
        *documents.wrong_commands(content, _program()),
        *documents.wrong_targets(content, MAKEFILE),
        *documents.wrong_settings(content, KNOWN_SETTINGS),
        *documents.wrong_routes(content, ROUTES),
        *documents.wrong_links(content, path),
        *documents.wrong_paths(content, ROOT),
    ]


def _plans() -> list[tuple[str, str]]:
    """Code blocks that are whole plans, and the example files."""
    found = [
        (name_of(path), block)
        for path in DOCUMENTS
        for language, block in documents.FENCE.findall(text(path))
        if language == "yaml" and "\nqueues:" in block and "\nnumbers:" in block
    ]
    examples = [path for path in files() if path.is_relative_to(ROOT / "examples" / "plans")]
    return found + [(name_of(path), text(path)) for path in examples]


@pytest.mark.parametrize(("name", "plan"), _plans())
def test_a_plan_that_we_show_is_a_plan(name: str, plan: str) -> None:
    assert plan_file.parse(plan, name).version


def test_every_guide_is_in_both_languages() -> None:
    assert {f"{guide}.ru.md" for guide in GUIDES} <= {name_of(path) for path in TRANSLATIONS}


@pytest.mark.parametrize("russian", TRANSLATIONS, ids=name_of)
def test_a_translation_has_the_same_headings(russian: Path) -> None:
    english = russian.with_name(russian.name.removesuffix(".ru.md") + ".md")
    assert documents.shape(text(english))
    assert documents.shape(text(english)) == documents.shape(text(russian))


def test_a_decision_says_context_decision_and_consequences() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert decisions
    numbers = [path.name[:4] for path in decisions]
    assert len(set(numbers)) == len(numbers)
    for path in decisions:
        content = text(path)
        assert content.startswith(f"# {path.name[:4]}"), name_of(path)
        for part in ("Context", "Decision", "Consequences"):
            assert f"\n## {part}\n" in content, name_of(path)


def test_the_rules_for_documents_bite() -> None:
    program, here = _program(), ROOT / "README.md"
    assert list(documents.wrong_commands("`perezvon fly`", program))
    assert list(documents.wrong_commands("```\nperezvon up --wings\n```\n", program))
    assert not list(documents.wrong_commands("`perezvon up --demo`", program))
    assert list(documents.wrong_targets("`make coffee`", MAKEFILE))
    assert not list(documents.wrong_targets("`make quick`", MAKEFILE))
    assert list(documents.wrong_settings("PEREZVON_WINGS=1", KNOWN_SETTINGS))
    assert not list(documents.wrong_settings("PEREZVON_SIP_PORT=1", KNOWN_SETTINGS))
    assert list(documents.wrong_routes("GET /api/v1/wings", ROUTES))
    assert not list(documents.wrong_routes("GET /api/v1/calls/{id}", ROUTES))
    assert list(documents.wrong_links("[a](docs/nowhere.md)", here))
    assert list(documents.wrong_links("[a](LICENSE#nowhere)", here))
    assert not list(documents.wrong_links("[a](LICENSE)", here))
    assert list(documents.wrong_paths("`src/perezvon/nowhere.py`", ROOT))
    assert not list(documents.wrong_paths("`src/perezvon/core/ids.py`", ROOT))
    assert documents.shape("# a\n\n## b\n") != documents.shape("# a\n")
