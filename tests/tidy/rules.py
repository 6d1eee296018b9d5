"""Our own rules of writing, as functions from a source text to what is wrong with it.

Only what ruff cannot say. Each rule's docstring tells why it is there; `test_rules.py` holds
every file to every rule, and shows for each that it bites.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

LINES_OF_FUNCTION_MAX = 60
LINES_OF_FILE_MAX = 500
SLEEP_MAX_S = 1

LATER = re.compile(r"\b(T[O]DO|FI[X]ME|X[X]X|HA[C]K)\b")  # not found in this very line

SYNONYMS = {
    "operator": "agent",
    "operators": "agents",
    "employee": "agent",
    "employees": "agents",
    "customer": "client",
    "customers": "clients",
    "subscriber": "client",
    "subscribers": "clients",
    "hunt": "queue",
    "huntgroup": "queue",
    "acd": "queue",
    "organization": "tenant",
    "organisation": "tenant",
    "ticket": "debt",
    "obligation": "debt",
    "recall": "callback",
    "ringback": "callback",
    "disposition": "result",
    "wrapup": "wrap_up",
    "acw": "wrap_up",
    "conversation": "talk",
    "abandoner": "caller who left",
    "timestamp": "a name that ends in _at",
    "timestamps": "names that end in _at",
    "millis": "a name that ends in _ms",
    "msec": "a name that ends in _ms",
    "msecs": "a name that ends in _ms",
}
"""Words that the glossary has another word for (docs/glossary.md)."""


def functions_fit_a_screen(source: str) -> Iterator[str]:
    """A function longer than a screen is read in pieces, and its early returns are missed."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES_OF_FUNCTION_MAX:
                yield f"line {node.lineno}: {node.name} has {lines} lines"


def files_stay_short(source: str) -> Iterator[str]:
    """A file that grows beyond ten screens holds two things, and is where changes collide. One
    that has a reason says "Long because …" in its docstring.
    """
    lines = len(source.splitlines())
    docstring = ast.get_docstring(_tree(source)) or ""
    if lines > LINES_OF_FILE_MAX and "Long because" not in docstring:
        yield f"{lines} lines and no `Long because` in its docstring"


def modules_say_their_role(source: str) -> Iterator[str]:
    """A newcomer reads the first lines of a file to learn whether he is in the right one."""
    tree = _tree(source)
    if tree.body and not ast.get_docstring(tree):
        yield "no docstring"


def nothing_is_left_for_later(source: str) -> Iterator[str]:
    """A mark in the code is seen by nobody. What is left to do is an issue."""
    if not LATER.search(source):  # reading it word by word takes long
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING) and LATER.search(token.string):
            yield f"line {token.start[0]}: {token.string.strip()[:60]}"


def words_are_the_glossarys(source: str) -> Iterator[str]:
    """One thing has one word: two words for an agent made two tables of them elsewhere."""
    for line, name in _names_given(source):
        for word in _words(name):
            if word in SYNONYMS:
                yield f"line {line}: {name}: the glossary's word is {SYNONYMS[word]}"
        for first, second in pairwise(_words(name)):
            if (first, second) == ("call", "back"):
                yield f"line {line}: {name}: callback is one word"


def time_is_named_by_its_unit(source: str) -> Iterator[str]:
    """Moments end in `_at`, lengths in `_ms`: a wait in seconds that is read as milliseconds
    calls a client back a thousand times too late.
    """
    for line, name in _names_given(source):
        if re.search(r"[a-z0-9]_(time|seconds|secs|sec|ts|duration)$", name.lower()):
            yield f"line {line}: {name}: should end in _at (moment) or _ms (length)"


def channels_stay_in_the_switch(source: str) -> Iterator[str]:
    """Only the switch's layer knows the word: in a decision it would tie us to one vendor."""
    for line, name in _names_given(source):
        if any(word in ("channel", "channels") for word in _words(name)):
            yield f"line {line}: {name}: outside of the switch it is a leg"


def fakes_not_mocks(source: str) -> Iterator[str]:
    """A mock accepts anything: a neighbour's test passed itself as the tenant, unnoticed."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            modules = []
        if any(re.search(r"(^|\.)(mock|pytest_mock)(\.|$)", module) for module in modules):
            yield f"line {node.lineno}: a mock" if isinstance(node, ast.stmt) else "a mock"
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield f"line {node.lineno}: a mock"


def tests_do_not_sleep(source: str) -> Iterator[str]:
    """A sleep is too short on a busy machine and too long on every other: wait for a condition,
    with a deadline.
    """
    for node in ast.walk(_tree(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "time.sleep":
            yield f"line {node.lineno}: {ast.unparse(node)}"
        if called in ("asyncio.sleep", "anyio.sleep", "sleep") and node.args:
            length = node.args[0]
            if (
                isinstance(length, ast.Constant)
                and isinstance(length.value, int | float)
                and length.value >= SLEEP_MAX_S
            ):
                yield f"line {node.lineno}: {ast.unparse(node)}"


@cache
def _tree(source: str) -> ast.Module:
    """Each file is parsed once, for all the rules."""
    return ast.parse(source)


def _names_given(source: str) -> Iterator[tuple[int, str]]:
    """Names that this source chooses itself; not those that it uses."""
    for node in ast.walk(_tree(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case _:
                pass


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [word.lower() for word in apart.split("_") if word]


Rule = Callable[[str], Iterator[str]]

EVERYWHERE: tuple[Rule, ...] = (
    functions_fit_a_screen,
    files_stay_short,
    modules_say_their_role,
    nothing_is_left_for_later,
)
IN_SOURCE: tuple[Rule, ...] = (words_are_the_glossarys,)
IN_CORE: tuple[Rule, ...] = (time_is_named_by_its_unit, channels_stay_in_the_switch)
IN_TESTS: tuple[Rule, ...] = (fakes_not_mocks, tests_do_not_sleep)
