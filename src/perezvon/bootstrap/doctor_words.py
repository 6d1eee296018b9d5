"""What the doctor says, Russian and English side by side; a problem says what to do."""

from enum import StrEnum
from typing import Final

from perezvon.bootstrap.words import Words


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Not wrong, but worth knowing."""
    PROBLEM = "problem"


def _two(ru: str, en: str) -> Words:
    return {"ru": ru, "en": en}


DOCTOR: Final[dict[str, Words]] = {
    "ok": _two("ок", "ok"),
    "note": _two("заметка", "note"),
    "problem": _two("ПРОБЛЕМА", "PROBLEM"),
    "python": _two("Python {version}", "Python {version}"),
    "python_bad": _two(
        "Python {version}: нужен 3.11 или новее", "Python {version}: 3.11 or newer is needed"
    ),
    "disk": _two("Место на диске: {free} ГБ ({folder})", "Disk space: {free} GB ({folder})"),
    "disk_bad": _two(
        "Мало места на диске: {free} ГБ ({folder}); освободите или задайте PEREZVON_DATA_DIR",
        "Little disk space: {free} GB ({folder}); free some or set PEREZVON_DATA_DIR",
    ),
    "folder": _two("Папка данных: {folder}", "Data folder: {folder}"),
    "folder_bad": _two(
        "В папку {folder} нельзя писать; задайте PEREZVON_DATA_DIR",
        "The folder {folder} cannot be written to; set PEREZVON_DATA_DIR",
    ),
    "asterisk": _two("Asterisk {version}: {program}", "Asterisk {version}: {program}"),
    "recipe": _two(
        "Asterisk ещё нет; его можно поставить: perezvon pbx install",
        "No Asterisk yet; it can be brought: perezvon pbx install",
    ),
    "recipe_bad": _two(
        "Asterisk нет, и через apt его не взять: укажите PEREZVON_ASTERISK "
        "или работайте с --switch sim",
        "No Asterisk, and apt cannot bring one: set PEREZVON_ASTERISK or use --switch sim",
    ),
    "clock": _two("Часы машины сверяются", "The machine's clock is kept right"),
    "clock_bad": _two(
        "Часы машины никто не сверяет: включите NTP", "Nobody keeps the clock right: turn NTP on"
    ),
    "clock_unknown": _two(
        "Сверяются ли часы, узнать не удалось", "Cannot tell whether the clock is kept right"
    ),
    "port": _two("Порт {port} свободен ({variable})", "Port {port} is free ({variable})"),
    "port_bad": _two(
        "Порт {port} занят: задайте {variable}", "Port {port} is taken: set {variable}"
    ),
    "database_new": _two(
        "Базы ещё нет: появится при первом запуске", "No database yet: the first start makes it"
    ),
    "database": _two("База отвечает ({kind})", "The database answers ({kind})"),
    "database_bad": _two("База не отвечает: {reason}", "The database does not answer: {reason}"),
    "plan": _two(
        "План {version}: операторов {agents}, очередей {queues}, номеров {numbers}",
        "Plan {version}: agents {agents}, queues {queues}, numbers {numbers}",
    ),
    "plan_new": _two(
        "Плана ещё нет: первый запуск напишет начальный", "No plan yet: the first start writes one"
    ),
    "plan_bad": _two("План негоден: {reason}", "The plan is of no use: {reason}"),
    "zone": _two("Часовой пояс {zone}, tzdata {version}", "Time zone {zone}, tzdata {version}"),
    "zone_bad": _two(
        "Часовой пояс {zone} неизвестен: обновите пакет tzdata",
        "Time zone {zone} is not known: update the package tzdata",
    ),
    "secrets": _two("Секреты: {file}", "Secrets: {file}"),
    "secrets_bad": _two("Секреты: {reason}", "Secrets: {reason}"),
    "not_running": _two("Perezvon не запущен: perezvon up", "Perezvon is not running: perezvon up"),
    "engine": _two("Движок отвечает", "The engine answers"),
    "engine_bad": _two(
        "Движок не отвечает ({reason}): см. log/engine.log в папке данных",
        "The engine does not answer ({reason}): see log/engine.log in the data folder",
    ),
    "beating_bad": _two(
        "Движок не подаёт признаков жизни: звонки берёт запасная очередь; см. log/engine.log",
        "The engine gives no heartbeat: the fallback queue takes calls; see log/engine.log",
    ),
    "halted_bad": _two(
        "Движок остановил приём после ошибки: см. log/engine.log",
        "The engine stopped taking calls after an error: see log/engine.log",
    ),
    "balanced_bad": _two(
        "Реестр не сходится: perezvon ledger", "The ledger is out of balance: perezvon ledger"
    ),
    "web": _two("Страница и API отвечают: {url}", "Page and API answer: {url}"),
    "web_bad": _two(
        "Страница и API не отвечают ({url}): см. log/web.log",
        "Page and API do not answer ({url}): see log/web.log",
    ),
    "certificate": _two(
        "Сертификат страниц до {day}: {file}", "The pages' certificate is good until {day}: {file}"
    ),
    "certificate_soon": _two(
        "Сертификат страниц кончается {day}: продлите {file}, перезапуск не нужен",
        "The pages' certificate ends on {day}: renew {file}, no restart is needed",
    ),
    "certificate_over_bad": _two(
        "Сертификат страниц действует только с {begins} до {day}, браузеры ему не верят:"
        " продлите {file}, перезапуск не нужен",
        "The pages' certificate is good from {begins} to {day} only, browsers do not trust it:"
        " renew {file}, no restart is needed",
    ),
    "certificate_bad": _two("Сертификат страниц: {reason}", "The pages' certificate: {reason}"),
    "insecure_bad": _two(
        "Страницы на {bind} без TLS: браузер не даст им микрофон; web_tls, web_certificate или"
        " обратный прокси (web_proxy)",
        "The pages on {bind} have no TLS: no browser gives them the microphone; web_tls,"
        " web_certificate or a reverse proxy (web_proxy)",
    ),
    "no_media_address": _two(
        "Нет external_media_address: звук браузеров из-за маршрутизатора не дойдёт",
        "No external_media_address: sound of browsers behind a router will not arrive",
    ),
    "no_turn": _two(
        "Нет stun_server и turn_server: операторы дома могут остаться без звука",
        "No stun_server and no turn_server: agents at home may be without sound",
    ),
    "stun": _two("STUN отвечает: {url}", "STUN answers: {url}"),
    "stun_bad": _two(
        "STUN {url}: {reason}; проверьте stun_server и брандмауэр",
        "STUN {url}: {reason}; look at stun_server and the firewall",
    ),
    "turn": _two(
        "TURN отвечает и знает наш секрет: {url}", "TURN answers and knows our secret: {url}"
    ),
    "turn_bad": _two(
        "TURN {url}: {reason}; проверьте turn_server, turn_secret и брандмауэр",
        "TURN {url}: {reason}; look at turn_server, turn_secret and the firewall",
    ),
    "media_ports": _two(
        "Звук браузеров и телефонов приходит на {host}, UDP {first}–{last}: пропустите его"
        " через брандмауэр",
        "Sound of browsers and telephones comes to {host}, UDP {first} to {last}: let it through"
        " the firewall",
    ),
    "media_local_bad": _two(
        "Звук браузеров принимается только на {host}: задайте rtp_bind, UDP {first}–{last}",
        "Sound of browsers is taken on {host} only: set rtp_bind, UDP {first} to {last}",
    ),
    "media_few_bad": _two(
        "На {agents} операторов нужно портов звука не меньше {needed}, а их {count}:"
        " расширьте rtp_from–rtp_to",
        "{agents} agents need {needed} ports of sound at least, and there are {count}:"
        " widen rtp_from to rtp_to",
    ),
    "softphones": _two(
        "Asterisk принимает телефоны в браузерах", "Asterisk takes telephones in browsers"
    ),
    "softphones_bad": _two(
        "Asterisk не принимает телефоны в браузерах, не загружено: {names}; см. log/asterisk.log",
        "Asterisk takes no telephones in browsers, not loaded: {names}; see log/asterisk.log",
    ),
    "ari": _two("Asterisk отвечает: {url}", "Asterisk answers: {url}"),
    "ari_bad": _two(
        "Asterisk не отвечает ({url}): см. log/asterisk.log",
        "Asterisk does not answer ({url}): see log/asterisk.log",
    ),
    "heartbeat": _two(
        "Последний сигнал движка {age} с назад (не больше {limit})",
        "Last heartbeat {age} s ago (at most {limit})",
    ),
    "heartbeat_bad": _two(
        "Последний сигнал движка {age} с назад, больше {limit}: звонки берёт запасная очередь",
        "Last heartbeat {age} s ago, more than {limit}: the fallback queue takes calls",
    ),
    "heartbeat_none": _two(
        "Движок ни разу не подал сигнал Asterisk: звонки берёт запасная очередь",
        "The engine never gave Asterisk a heartbeat: the fallback queue takes calls",
    ),
    "phones": _two(
        "Телефоны на связи: {there} из {all}", "Telephones registered: {there} of {all}"
    ),
    "phones_away": _two(
        "Телефоны на связи: {there} из {all}; нет: {names}",
        "Telephones registered: {there} of {all}; missing: {names}",
    ),
    "trunk": _two("Транк {trunk} отвечает ({host})", "Trunk {trunk} answers ({host})"),
    "trunk_bad": _two(
        "Транк {trunk} не отвечает ({host}): проверьте адрес и оператора связи",
        "Trunk {trunk} does not answer ({host}): check the address and the carrier",
    ),
    "sum": _two("Проблем: {count}", "Problems: {count}"),
    "sum_fine": _two("Проблем нет", "No problems"),
}
