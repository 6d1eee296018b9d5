"""Why a plan file is refused: every reason has a code and a text in both languages.

Kept apart, so that the schema speaks in codes and a reader may ask in Russian.
"""

import difflib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

GIVEN_MAX: Final = 60
"""Characters of a wrong word that a message repeats."""

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    # Of the file as text.
    "unreadable": ("cannot be read: {what}", "не читается: {what}"),
    "too_large": ("has more than {bytes_max} bytes", "больше {bytes_max} байт"),
    "not_utf8": ("is not UTF-8 text", "это не текст в UTF-8"),
    "empty": ("the file is empty", "файл пуст"),
    "control_character": (
        "{sign} is no character of a text file",
        "{sign} — не символ текстового файла",
    ),
    "tab": ("a tab; indent with spaces", "табуляция; отступы делаются пробелами"),
    "syntax": ("not YAML: {what}", "это не YAML: {what}"),
    "documents": ("a second document begins here", "здесь начинается второй документ"),
    "tag": ("tags such as {tag} are not taken", "теги, такие как {tag}, не принимаются"),
    "alias_unknown": ("*{name} names nothing above", "*{name} ничего выше не называет"),
    "alias_cycle": ("*{name} contains itself", "*{name} содержит само себя"),
    "alias_many": ("more than {count} aliases", "больше {count} псевдонимов"),
    "too_deep": ("nested deeper than {depth}", "вложено глубже {depth}"),
    "too_many_values": ("more than {count} values", "больше {count} значений"),
    "key_twice": (
        "{key!r} is there twice, first in line {line}",
        "{key!r} указано дважды, впервые в строке {line}",
    ),
    "key_not_text": ("a key must be plain text", "ключ должен быть простым текстом"),
    # Of the shape.
    "unknown_key": ("no such setting{odd}{hint}", "такой настройки нет{odd}{hint}"),
    "missing": ("is missing", "не указано"),
    "not_mapping": ("must have settings of its own (key: value)", "нужны пары «ключ: значение»"),
    "not_list": ("must be a list", "нужен список"),
    "not_text": ("must be text", "нужен текст"),
    "not_whole": ("must be a whole number", "нужно целое число"),
    "not_flag": ("must be true or false", "нужно true или false"),
    "too_small": ("must be {least} at least", "не меньше {least}"),
    "too_big": ("must be {most} at most", "не больше {most}"),
    "too_few": ("needs {least} at least", "нужно не меньше {least}"),
    "too_many": ("may have {most} at most", "допустимо не больше {most}"),
    "choice": ("must be one of {expected}", "нужно одно из: {expected}"),
    "other": ("{what}", "{what}"),
    # Of values.
    "bad_id": (
        "{given!r} is no identifier: {rule}{odd}",
        "{given!r} не годится как идентификатор: {rule}{odd}",
    ),
    "bad_text": (
        "must be one line of {most} characters at most{odd}",
        "нужна одна строка не длиннее {most} символов{odd}",
    ),
    "bad_length": (
        "{given!r} is no length of time; write 10s, 5m, 1h30m, or seconds",
        "{given!r} — не длительность; пишите 10s, 5m, 1h30m или число секунд",
    ),
    "bad_zone": (
        "{given!r} is not a time zone of the IANA database{hint}",
        "{given!r} — не часовой пояс из базы IANA{hint}",
    ),
    "bad_country": (
        "{given!r} is not a country code such as RU",
        "{given!r} — не код страны, такой как RU",
    ),
    "bad_time": (
        "{given!r} is not a time of day from 00:00 to 24:00",
        "{given!r} — не время суток от 00:00 до 24:00",
    ),
    "bad_interval": (
        "{given!r} is no opening time; write 09:00-18:00 or closed",
        "{given!r} — не часы работы; пишите 09:00-18:00 или closed",
    ),
    "ends_before": (
        "{given!r} ends before it begins; over midnight write two, up to 24:00 and from 00:00",
        "{given!r} кончается раньше, чем начинается; через полночь пишите два: до 24:00 и с 00:00",
    ),
    "overlap": ("{first} and {second} overlap", "{first} и {second} перекрываются"),
    "bad_days": (
        "{given!r} names no days; write mon, mon-fri, or sat,sun",
        "{given!r} — не дни недели; пишите mon, mon-fri или sat,sun",
    ),
    "day_twice": ("{day} is given twice", "{day} указан дважды"),
    "never_open": ("is never open", "никогда не открыто"),
    "bad_date": (
        "{given!r} is no date; write 2026-01-01 or 2026-01-01..2026-01-08",
        "{given!r} — не дата; пишите 2026-01-01 или 2026-01-01..2026-01-08",
    ),
    "dates_reversed": (
        "{given!r} ends before it begins",
        "{given!r} кончается раньше, чем начинается",
    ),
    "date_twice": ("{date} is given twice", "{date} указано дважды"),
    "bad_number": (
        "{given!r} is no number: digits, maybe with a leading +",
        "{given!r} — не номер: цифры, возможно с + в начале",
    ),
    "bad_e164": (
        "{given!r} must be in the international form, such as +79161234567",
        "{given!r} нужен в международном виде, например +79161234567",
    ),
    "bad_host": (
        "{given!r} is neither a host name nor an address",
        "{given!r} — не имя узла и не адрес",
    ),
    "bad_address": (
        "{given!r} is neither an IP address nor a network such as 192.0.2.0/24",
        "{given!r} — не IP-адрес и не сеть, такая как 192.0.2.0/24",
    ),
    "bad_sound": (
        "{given!r} names no sound: latin letters, digits, _ - and / between folders",
        "{given!r} — не имя звука: латинские буквы, цифры, _ - и / между папками",
    ),
    "bad_ladder": (
        "the offsets must increase, beginning at 0 or later",
        "смещения должны возрастать, начиная с 0 или позже",
    ),
    # Of the whole.
    "unknown": ("{name!r} is not among the {kind}{hint}", "{name!r} нет среди {kind}{hint}"),
    "twice": ("{name!r} is there twice", "{name!r} указано дважды"),
    "no_queue": ("a plan needs one queue at least", "в плане нужна хотя бы одна очередь"),
    "nobody": ("names no group and no agent", "не названы ни группы, ни операторы"),
    "endless": (
        "either wait_max or rounds_max must end the wait",
        "ожидание должны кончать wait_max или rounds_max",
    ),
    "mobile_number": ("a mobile needs a number", "мобильному нужен номер (number)"),
    "mobile_trunk": (
        "a mobile needs a trunk, and the plan has {count} to choose from",
        "мобильному нужен транк, а в плане их {count}",
    ),
    "only_mobile": (
        "only a mobile has a number of its own",
        "свой номер бывает только у мобильного",
    ),
    "register_whom": (
        "to register, a username is needed",
        "для регистрации нужен username",
    ),
}

_ID_RULE = (
    "a-z, 0-9, _ and -, 32 at most, not beginning with _ or -",
    "a-z, 0-9, _ и -, не больше 32, в начале не _ и не -",
)
_TENANT_RULE = ("a-z and 0-9, 16 at most", "a-z и 0-9, не больше 16")
_SECRET_RULE = (
    "latin letters, digits, . _ - and, in a username, @ + ~, 64 at most",
    "латинские буквы, цифры, . _ - и, в username, @ + ~, не больше 64",
)
RULES: Final[Mapping[str, tuple[str, str]]] = {
    "id": _ID_RULE,
    "tenant": _TENANT_RULE,
    "secret": _SECRET_RULE,
}
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "agents": ("agents", "операторов (agents)"),
    "groups": ("groups", "групп (groups)"),
    "hours": ("hours", "часов работы (hours)"),
    "projects": ("projects", "проектов (projects)"),
    "queues": ("queues", "очередей (queues)"),
    "trunks": ("trunks", "транков (trunks)"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A code of `TEXTS` and what its text mentions."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """In `ru` or in English."""
        russian = language == "ru"
        params = dict(self.params)
        near = _closest(params.pop("word", ""), params.pop("known", ()))
        say = "; может быть, {!r}?" if russian else "; did you mean {!r}?"
        params["hint"] = say.format(near) if near else ""
        given = params.get("given", "")
        params["odd"] = _odd(str(given), russian=russian)
        if "rule" in params:
            params["rule"] = RULES[str(params["rule"])][russian]
        if "kind" in params:
            params["kind"] = KINDS[str(params["kind"])][russian]
        return TEXTS[self.code][russian].format_map(params)


def _closest(word: object, known: object) -> str:
    """What was meant, perhaps. Slow, and so left until somebody reads the reason."""
    assert isinstance(word, str)
    assert isinstance(known, Collection)
    near = difflib.get_close_matches(word[:GIVEN_MAX], known, n=1)
    return near[0] if near else ""


def sign_name(sign: str) -> str:
    """`U+0430 CYRILLIC SMALL LETTER A`: what cannot be told apart on a screen."""
    return f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".rstrip()


def _odd(text: str, *, russian: bool) -> str:
    odd = next((sign for sign in text if not " " <= sign <= "~"), None)
    if odd is None:
        return ""
    return f" ({'в нём' if russian else 'it has'} {sign_name(odd)})"
