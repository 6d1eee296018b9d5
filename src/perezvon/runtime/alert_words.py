"""What an alert means to a person, Russian and English side by side, so that neither falls behind.

Of each kind: what has happened, what callers notice of it, and what to do. The terminal, the API
and the guide for admins say it in these very words.
"""

from dataclasses import dataclass
from typing import Final

from perezvon.metrics.explanation_words import Language
from perezvon.runtime.alerts import AlertKind


@dataclass(frozen=True, slots=True)
class Meaning:
    """Whole sentences, one or two each."""

    happened: str
    callers: str
    advice: str

    @property
    def text(self) -> str:
        """What has happened and what it means for callers, in a line."""
        return f"{self.happened} {self.callers}".strip()


def meaning(kind: str, language: Language) -> Meaning:
    """Of an open alert. A kind that this release does not know is shown as it is."""
    try:
        return MEANINGS[AlertKind(kind)][language]
    except ValueError:
        return Meaning(kind, "", "")


MEANINGS: Final[dict[AlertKind, dict[Language, Meaning]]] = {
    AlertKind.GUARD_DOWN: {
        "ru": Meaning(
            "Движок не подаёт пульса.",
            "Новых звонящих берёт запасная очередь; разговоры идут.",
            "Причину называют другие тревоги; если их нет, запустите perezvon doctor.",
        ),
        "en": Meaning(
            "The engine gives no heartbeat.",
            "New callers go to the fallback queue; talks go on.",
            "Other alerts name the cause; if there is none, run perezvon doctor.",
        ),
    },
    AlertKind.ENGINE_RESTARTED: {
        "ru": Meaning(
            "Движок завершился и запущен снова.",
            "Разговоры шли дальше; кто ждал, ждёт на своём месте или ушёл в запасную очередь.",
            "Один раз: ничего. Снова и снова: сохраните журнал движка и сообщите об ошибке.",
        ),
        "en": Meaning(
            "The engine ended and was started again.",
            "Talks went on; who waited kept his place or went to the fallback queue.",
            "Once: nothing. Again and again: keep the engine's log and report it.",
        ),
    },
    AlertKind.ENGINE_HALTED: {
        "ru": Meaning(
            "Движок раз за разом спотыкается и остановлен на десять минут.",
            "Всех звонящих берёт запасная очередь; разговоры идут.",
            "Это ошибка программы: сохраните папку данных и журнал движка и сообщите о ней.",
        ),
        "en": Meaning(
            "The engine failed again and again, and stands still for ten minutes.",
            "All callers go to the fallback queue; talks go on.",
            "It is a bug: keep the data folder and the engine's log, and report it.",
        ),
    },
    AlertKind.LOOP_SLOW: {
        "ru": Meaning(
            "Движок задержало дольше чем на секунду.",
            "Операторам звонят с опозданием; после четырёх секунд новых берёт запасная очередь.",
            "Посмотрите, чем занята машина и не засыпает ли она.",
        ),
        "en": Meaning(
            "The engine was held up for over a second.",
            "Agents are rung late; after four seconds new callers go to the fallback queue.",
            "Look what keeps the machine busy, and whether it is put to sleep.",
        ),
    },
    AlertKind.LEASE_LOST: {
        "ru": Meaning(
            "Пять секунд ничего не записано: движок не вправе действовать.",
            "И новых, и ждущих звонящих берёт запасная очередь; разговоры идут.",
            "Смотрите на диск и базу. Если место занял движок наготове, прежний завершится сам.",
        ),
        "en": Meaning(
            "Nothing could be written for five seconds: the engine may not act.",
            "Who waits and who calls goes to the fallback queue; talks go on.",
            "See to the disk and the database. If a standby leads now, the former one ends by "
            "itself.",
        ),
    },
    AlertKind.STANDBY_TOOK_OVER: {
        "ru": Meaning(
            "Движок наготове занял место прежнего.",
            "Музыка и разговоры не прервались; новых несколько секунд брала запасная очередь.",
            "Выясните, что стало с прежним, и запустите его снова: perezvon engine --standby.",
        ),
        "en": Meaning(
            "The standby took the place of the former engine.",
            "Music and talks went on; for some seconds new callers went to the fallback queue.",
            "Find out what became of the former one, and start it again: "
            "perezvon engine --standby.",
        ),
    },
    AlertKind.JOURNAL_UNAVAILABLE: {
        "ru": Meaning(
            "В журнал нельзя записать: отказал диск или база данных.",
            "Новых, а за ними и ждущих берёт запасная очередь; разговоры идут.",
            "Освободите место на диске или верните базу; движок продолжит сам.",
        ),
        "en": Meaning(
            "The journal cannot be written: the disk or the database fails.",
            "New callers, and then those who wait, go to the fallback queue; talks go on.",
            "Make room on the disk, or bring the database back; the engine goes on by itself.",
        ),
    },
    AlertKind.JOURNAL_SLOW: {
        "ru": Meaning(
            "Запись в журнал длится дольше секунды.",
            "Если это не один раз, новых звонящих берёт запасная очередь.",
            "Посмотрите, что ещё пишет на этот диск; перенесите папку данных на быстрый.",
        ),
        "en": Meaning(
            "A commit to the journal takes over a second.",
            "If it is more than one, new callers go to the fallback queue.",
            "Look what else writes to this disk; move the data folder to a fast one.",
        ),
    },
    AlertKind.CLOCK_STEPPED: {
        "ru": Meaning(
            "Часы машины перевели.",
            "Самое большее секунду новых звонящих брала запасная очередь.",
            "Пусть время держит служба точного времени (chrony или другая).",
        ),
        "en": Meaning(
            "The machine's clock was set.",
            "For a second at most new callers went to the fallback queue.",
            "Let a time service (chrony or another) keep the time.",
        ),
    },
    AlertKind.SWITCH_AWAY: {
        "ru": Meaning(
            "Нет связи с Asterisk.",
            "Если он работает, новых берёт запасная очередь; если нет, звонки не проходят.",
            "perezvon up запускает его сам. Дольше минуты: perezvon doctor и журнал Asterisk.",
        ),
        "en": Meaning(
            "There is no link to Asterisk.",
            "If it runs, new callers go to the fallback queue; if not, no call comes through.",
            "perezvon up starts it by itself. Over a minute: perezvon doctor, Asterisk's log.",
        ),
    },
    AlertKind.SWITCH_HUNG: {
        "ru": Meaning(
            "Asterisk завис, его перезапускают.",
            "Звонки обрываются; всем, кто говорил или ждал, перезвоним.",
            "Ничего: он вернётся за полминуты. Если это не впервые, сообщите, какие части молчали.",
        ),
        "en": Meaning(
            "Asterisk hangs and is being restarted.",
            "Calls break off; everybody who talked or waited is called back.",
            "Nothing: it is back in half a minute. If again and again, report the silent parts.",
        ),
    },
    AlertKind.SWITCH_RESTARTED: {
        "ru": Meaning(
            "Asterisk запущен заново.",
            "Звонки оборвались; перезваниваем всем, кто говорил или ждал, по порядку звонков.",
            "Следите за долгами: perezvon debts. Почему он завершился, скажет его журнал.",
        ),
        "en": Meaning(
            "Asterisk was started anew.",
            "Calls broke off; who talked or waited is called back, in the order of the calls.",
            "Keep an eye on perezvon debts. Its log says why it ended.",
        ),
    },
    AlertKind.REPLY_LOST: {
        "ru": Meaning(
            "Ответы Asterisk терялись, запросы повторены.",
            "Иногда несколько лишних секунд музыки; дважды никому не звоним.",
            "Изредка: ничего. Часто: машина перегружена или плоха сеть до Asterisk.",
        ),
        "en": Meaning(
            "Replies of Asterisk were lost, the requests repeated.",
            "At times some seconds more of music; nobody is rung twice.",
            "Now and then: nothing. Often: an overloaded machine, or a bad network to Asterisk.",
        ),
    },
    AlertKind.STRAY_LEG: {
        "ru": Meaning(
            "В Asterisk прибраны плечи или мосты, за которые никто не отвечал.",
            "Звонящего, если он там был, обслуживают как всех.",
            "Изредка: ничего. Часто: сообщите об этом, приложив журнал движка.",
        ),
        "en": Meaning(
            "Legs or bridges in Asterisk that nobody answered for were swept.",
            "A caller, if one was there, is served like any other.",
            "Now and then: nothing. Often: report it with the engine's log.",
        ),
    },
    AlertKind.TRUNK_DOWN: {
        "ru": Meaning(
            "Оператор связи не отвечает.",
            "Звонки по этому транку не доходят; перезвоны ждут и попыток не тратят.",
            "Проверьте сеть и адрес транка в плане; позвоните оператору связи.",
        ),
        "en": Meaning(
            "The carrier does not answer.",
            "Calls over this trunk do not come in; call-backs wait and use up no attempt.",
            "Check the network and the trunk's address in the plan; ring the carrier.",
        ),
    },
    AlertKind.REGISTRATION_LOST: {
        "ru": Meaning(
            "Оператор связи не даёт регистрации или молчит.",
            "Звонки по этому транку не доходят; перезвоны ждут и попыток не тратят.",
            "Отказ: проверьте имя и пароль транка. Молчание: сеть и самого оператора связи.",
        ),
        "en": Meaning(
            "The carrier does not register us, or is silent.",
            "Calls over this trunk do not come in; call-backs wait and use up no attempt.",
            "Refused: check the trunk's user name and password. Silent: the network, the carrier.",
        ),
    },
    AlertKind.PHONE_AWAY: {
        "ru": Meaning(
            "Телефон оператора недоступен, а оператор на смене.",
            "Звонки идут остальным.",
            "Проверьте питание, сеть и регистрацию телефона или отметьте, что оператор ушёл.",
        ),
        "en": Meaning(
            "The telephone of an agent who is signed in is unreachable.",
            "Calls go to the others.",
            "Check the telephone's power, network and registration, or sign the agent out.",
        ),
    },
    AlertKind.WITNESS_SILENT: {
        "ru": Meaning(
            "Дневник Asterisk (CEL) не читается.",
            "Ничего не заметно; звонки запасной очереди попадут в реестр позже.",
            "Верните cel.csv на место и проверьте права на него.",
        ),
        "en": Meaning(
            "Asterisk's diary (CEL) cannot be read.",
            "Nothing is noticed; calls of the fallback queue enter the ledger later.",
            "Put cel.csv back in its place, and check the rights to it.",
        ),
    },
    AlertKind.RECONCILIATION: {
        "ru": Meaning(
            "Дневник Asterisk и наш журнал расходятся.",
            "Кого знает только дневник, тем перезваниваем.",
            "Смотрите perezvon ledger; сохраните папку данных и сообщите о расхождении.",
        ),
        "en": Meaning(
            "Asterisk's diary and our journal differ.",
            "Whom only the diary knows is called back.",
            "See perezvon ledger; keep the data folder and report the difference.",
        ),
    },
    AlertKind.RECORDINGS_BEHIND: {
        "ru": Meaning(
            "Записи разговоров не успевают обрабатываться.",
            "Звонящие не замечают; свежие записи пока нельзя послушать.",
            "Проверьте место на диске и загрузку машины; причина — в журнале worker.",
        ),
        "en": Meaning(
            "Recordings of talks are not dealt with in time.",
            "Callers notice nothing; new recordings cannot be heard yet.",
            "See to the room on the disk and the load of the machine; the worker's log has the "
            "cause.",
        ),
    },
}
