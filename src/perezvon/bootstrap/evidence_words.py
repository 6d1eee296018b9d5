"""What the evidence of a call says of itself: its files, and what is missing and why."""

from typing import Final


def _two(ru: str, en: str) -> dict[str, str]:
    return {"ru": ru, "en": en}


MISSING: Final = {
    "plan": _two("В журнале нет плана этого звонка.", "The journal has no plan of this call."),
    "journal": _two("Журнал не читается: {why}", "The journal cannot be read: {why}"),
    "journal_rows": _two(
        "{count} строк журнала уже удалены по возрасту.",
        "{count} rows of the journal are gone for their age.",
    ),
    "simulated": _two(
        "Станция учебная: нет ни ARI, ни CEL, ни SIP.",
        "The switch is a simulated one: there is no ARI, no CEL and no SIP.",
    ),
    "trace_off": _two(
        "Нет ARI и SIP: хранение выключено (trace_mb = 0).",
        "No ARI and no SIP: nothing is kept (trace_mb = 0).",
    ),
    "ari_never": _two("Нет ARI: движок ничего не сохранил.", "No ARI: the engine kept nothing."),
    "ari_later": _two(
        "ARI неполон: записи начинаются позже звонка ({begins_at}).",
        "ARI is not whole: what is kept begins after the call ({begins_at}).",
    ),
    "ari_nothing": _two(
        "Нет событий ARI этого звонка: движка в это время не было.",
        "No ARI events of this call: the engine was away then.",
    ),
    "ari_dropped": _two(
        "{count} сообщений ARI за это время не сохранены: диск не успевал.",
        "{count} frames of ARI were not kept in this time: the disk was behind.",
    ),
    "ari_cut": _two("ARI обрезан по пределу размера.", "ARI is cut at the limit of size."),
    "cel": _two("Нет строк CEL этого звонка.", "There are no rows of CEL of this call."),
    "hep_off": _two(
        "Нет SIP и RTP: копии выключены (hep_port = 0).",
        "No SIP and no RTP: HEP was off (hep_port = 0).",
    ),
    "sip_never": _two("Нет SIP: worker ничего не сохранил.", "No SIP: the worker kept nothing."),
    "sip_later": _two(
        "SIP неполон: записи начинаются позже звонка ({begins_at}).",
        "SIP is not whole: what is kept begins after the call ({begins_at}).",
    ),
    "sip_nothing": _two(
        "Нет SIP этого звонка: worker в это время не слушал.",
        "No SIP of this call: the worker did not hear then.",
    ),
    "sip_dropped": _two(
        "{count} сообщений SIP за это время не сохранены: диск не успевал.",
        "{count} messages of SIP were not kept in this time: the disk was behind.",
    ),
    "sip_cut": _two("SIP обрезан по пределу размера.", "SIP is cut at the limit of size."),
    "sip_legs": _two(
        "Нет SIP этих плеч: {legs}", "No SIP of these legs: {legs}"
    ),
    "rtp": _two(
        "Нет отчётов о звуке этих плеч (RTCP шлют каждые 5 с разговора): {legs}",
        "No reports of sound of these legs (RTCP comes every 5 s of a talk): {legs}",
    ),
}  # fmt: skip

README: Final = """\
Evidence of a call, made by Perezvon. / Материалы звонка, собранные Perezvon.

manifest.json        versions, files, what is missing and why / версии, файлы, чего нет и почему
call.json            how the call stands in the ledger / как звонок стоит в реестре
explanation.*.txt    why it went so / почему вышло так
facts.jsonl          what happened, in the words of the business / что произошло
journal.jsonl        what the engine was told / что узнал движок
ari/events.jsonl     what Asterisk said / что сказал Asterisk
ari/requests.jsonl   what Asterisk was asked, status, duration / запросы, ответ, время
cel.csv              Asterisk's own diary / собственный дневник Asterisk
sip/ladder.txt       SIP messages, a line each / сообщения SIP по строке
sip/messages.txt     the same in full / они же целиком
rtp.json             loss, jitter and round trip of each leg / потери, джиттер, задержка по плечам
plan-*.yaml          the plan then / план в то время

Moments are milliseconds since 1970, UTC, where nothing else is said. Unless the manifest says
`"redacted": false`, numbers are masked and names are left out; keys and passwords always are.
Время в миллисекундах с 1970 года, UTC. Номера скрыты и имена убраны, если в manifest.json нет
`"redacted": false`; ключи и пароли убраны всегда.
"""
