"""What docs/network.md tells others' programs to do is what we need of them, in both languages."""

import re
import tomllib
from pathlib import Path

import pytest

from perezvon import settings as settings_of
from perezvon.api.limits import PLAN_BODY_BYTES_MAX
from perezvon.settings import Settings
from tests.tidy import documents
from tests.tidy.tree import ROOT, files, name_of, text

LANGUAGES = ("docs/network.md", "docs/network.ru.md")


def blocks(name: str, language: str) -> list[str]:
    found = documents.FENCE.findall(text(ROOT / name))
    return [block for kind, block in found if kind == language]


def one(name: str, language: str) -> str:
    (block,) = blocks(name, language)
    return block


def settings_shown() -> list[tuple[str, str]]:
    documents_ = [path for path in files() if path.suffix == ".md"]
    return [
        (name_of(path), block)
        for path in documents_
        for language, block in documents.FENCE.findall(text(path))
        if language == "toml"
    ]


@pytest.mark.parametrize(("name", "block"), settings_shown())
def test_settings_that_we_show_are_settings(name: str, block: str, tmp_path: Path) -> None:
    shown = tomllib.loads(block)
    assert shown, name
    assert set(shown) <= set(Settings.model_fields), name
    given = {key: value for key, value in shown.items() if key != "data_dir"}
    loaded = settings_of.load(data_dir=tmp_path, **given)
    assert {key: str(getattr(loaded, key)) for key in given} == {
        key: str(value) for key, value in given.items()
    }


@pytest.mark.parametrize("kind", ["toml", "caddy", "nginx", "coturn"])
def test_both_languages_show_the_same(kind: str) -> None:
    english, russian = (
        [re.sub(r"#.*", "", block) for block in blocks(name, kind)] for name in LANGUAGES
    )
    assert english
    assert [block.split() for block in english] == [block.split() for block in russian]


def test_nginx_is_told_all_that_we_need() -> None:
    shown = " ".join(one(LANGUAGES[0], "nginx").split())
    ours = Settings.model_fields["web_port"].default
    assert f"proxy_pass http://127.0.0.1:{ours};" in shown
    headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", shown))
    assert headers == {
        # With its port, which `$host` has not.
        "Host": "$http_host",
        "Upgrade": "$http_upgrade",
        "Connection": "$connection_upgrade",
        "X-Forwarded-For": "$proxy_add_x_forwarded_for",
        "X-Forwarded-Proto": "$scheme",
    }
    assert "map $http_upgrade $connection_upgrade" in shown
    assert "proxy_http_version 1.1;" in shown
    size = re.search(r"client_max_body_size (\d+)m;", shown)
    assert size is not None
    assert int(size[1]) * 1024 * 1024 > PLAN_BODY_BYTES_MAX
    silence = re.search(r"proxy_read_timeout (\d+)s;", shown)
    assert silence is not None
    # We say something each 20 s.
    assert int(silence[1]) > 2 * 20
