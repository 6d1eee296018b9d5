"""What our documents claim of the program and of the tree: commands, settings, links, twins.

Functions from a text to what is wrong with it, given what there is; `test_docs.py` uses them.
"""

import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#+) +(.+)$", re.MULTILINE)
TREE_PATH = re.compile(r"^(src|tests|docs|examples|scripts|requirements|bench)/[\w./*-]+$")
PLACEHOLDER = re.compile(r"^([A-ZА-ЯЁ_-]+|…|\.\.\.|\[.*|<.*)$")


class Option(Protocol):
    """Of a command line; typer and click have one each, alike."""

    opts: list[str]
    secondary_opts: list[str]


class Command(Protocol):
    """A command; one that has others under it also has `commands`, by name."""

    name: str | None

    @property
    def params(self) -> Sequence[Option]: ...


def _under(command: Command) -> dict[str, Command]:
    return getattr(command, "commands", {})


def snippets(text: str) -> Iterator[str]:
    """Lines of code blocks, and code within sentences."""
    for match in FENCE.finditer(text):
        for line in match.group(2).splitlines():
            yield line.strip().removeprefix("$ ").partition(" #")[0].strip()
    yield from SPAN.findall(FENCE.sub("", text))


def wrong_commands(text: str, program: Command) -> Iterator[str]:
    """`perezvon …` that the program does not know: its words, or its options."""
    for snippet in snippets(text):
        if not re.match(r"^(\.venv/bin/)?perezvon [a-z-]", snippet):
            continue
        command: Command = program
        for word in shlex.split(snippet)[1:]:
            if word in ("|", "&&", ">", ";"):
                break
            if PLACEHOLDER.match(word):
                continue
            option = word.partition("=")[0]
            if word.startswith("-"):
                known = {name for each in command.params for name in (*each.opts, "--help")}
                known |= {name for each in command.params for name in each.secondary_opts}
                if option not in known:
                    yield f"`{snippet}`: {command.name} has no {option}"
            elif under := _under(command):
                if word not in under:
                    yield f"`{snippet}`: no such command as {word}"
                    break
                command = under[word]


def wrong_targets(text: str, makefile: str) -> Iterator[str]:
    for snippet in snippets(text):
        match = re.match(r"^make ([a-z]+)\b", snippet)
        if match and not re.search(rf"^{match.group(1)}:", makefile, re.MULTILINE):
            yield f"`{snippet}`: no such target"


def wrong_settings(text: str, known: Collection[str]) -> Iterator[str]:
    for name in re.findall(r"\bPEREZVON_([A-Z_]+)\b", text):
        if name.lower() not in known and not name.startswith(("SECRET_", "DST_", "FAULTS")):
            yield f"PEREZVON_{name}: no such setting"


def wrong_routes(text: str, routes: Collection[tuple[str, str]]) -> Iterator[str]:
    """`GET /api/…` that the API does not serve; names in braces may differ."""
    known = {(method, re.sub(r"\{.*?\}", "{}", path)) for method, path in routes}
    for method, path in re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/api/[\w/{}.-]*)", text):
        if (method, re.sub(r"\{.*?\}", "{}", path)) not in known:
            yield f"{method} {path}: no such route"


def wrong_links(text: str, path: Path) -> Iterator[str]:
    """Links to files that are not there, or to headings that they do not have."""
    for target in LINK.findall(text):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"{target}: not there"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{target}: no such heading"


def wrong_paths(text: str, root: Path) -> Iterator[str]:
    for snippet in snippets(text):
        if TREE_PATH.match(snippet) and not any(root.glob(snippet.rstrip("/"))):
            yield f"`{snippet}`: not there"


def anchors(text: str) -> set[str]:
    """As the usual viewers make them of headings."""
    titles = [title for _, title in HEADING.findall(FENCE.sub("", text))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def shape(text: str) -> list[int]:
    """Levels of the headings, in order: twins have the same."""
    return [len(level) for level, _ in HEADING.findall(FENCE.sub("", text))]
