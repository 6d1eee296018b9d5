"""Words of the terminal, Russian and English side by side."""

from typing import Final

from perezvon.cli.common import Words


def _two(ru: str, en: str) -> Words:
    return {"ru": ru, "en": en}


STATES: Final[dict[str, Words]] = {
    "in_progress": _two("идёт", "in progress"),
    "answered": _two("отвечен", "answered"),
    "recovered": _two("перезвонили", "called back"),
    "reached_us": _two("дозвонился сам", "reached us himself"),
    "waived": _two("снят", "waived"),
    "open": _two("должны", "owed"),
}

STATUSES: Final[dict[str, Words]] = {
    "available": _two("свободен", "available"),
    "ringing": _two("звонит телефон", "ringing"),
    "talking": _two("говорит", "talking"),
    "wrap_up": _two("постобработка", "wrap-up"),
    "paused": _two("перерыв", "paused"),
    "signed_out": _two("не на смене", "signed out"),
}

WHY: Final[dict[str, Words]] = {
    "chosen": _two("выбран", "chosen"),
    "next": _two("свободен, но не понадобился", "free, and not needed"),
}
"""Beside the reasons of an explanation's exclusions."""

CALL_STATES: Final[dict[str, Words]] = {
    "greeting": _two("приветствие", "greeting"),
    "waiting": _two("ждёт", "waiting"),
    "fell_back": _two("запасная очередь", "fallback"),
    "ringing_agent": _two("перезвон: зовём оператора", "call-back: ringing the agent"),
    "briefing": _two("перезвон: оператор слушает", "call-back: agent is briefed"),
    "dialling": _two("перезвон: звоним клиенту", "call-back: dialling the client"),
    "closing": _two("прощание", "closing"),
}

LEDGER: Final[dict[str, Words]] = {
    "arrivals": _two("обращений", "arrivals"),
    "in_progress": _two("сейчас идут", "in progress"),
    "answered": _two("отвечены", "answered"),
    "recovered": _two("перезвонили", "recovered by call-back"),
    "reached_us": _two("дозвонились сами", "reached us himself"),
    "waived": _two("сняты", "waived"),
    "open": _two("должны перезвонить", "open"),
    "debts_open": _two("людей ждут звонка", "persons owed"),
}

BALANCE: Final[dict[bool, Words]] = {
    True: _two("Реестр сходится.", "The ledger balances."),
    False: _two("РЕЕСТР НЕ СХОДИТСЯ", "THE LEDGER DOES NOT BALANCE"),
}

RECONCILIATION: Final[dict[str, Words]] = {
    "cel_arrivals": _two("видел второй свидетель", "seen by the second witness"),
    "journal_calls": _two("вели мы", "handled by us"),
    "fallback_calls": _two("вела запасная очередь", "handled by the fallback"),
    "unheard": _two("знает только свидетель", "only the witness knows"),
    "unseen": _two("знаем только мы", "only we know"),
    "awaited": _two("свидетель ещё не сказал", "not told by the witness yet"),
    "difference": _two("расхождение", "difference"),
}

RECONCILED: Final[dict[bool, Words]] = {
    True: _two("Сверка сходится.", "The two accounts agree."),
    False: _two("СВЕРКА НЕ СХОДИТСЯ", "THE TWO ACCOUNTS DIFFER"),
}

NO_WITNESS: Final[Words] = _two(
    "Второго свидетеля нет (учебная станция, или звонков ещё не было): сверять не с чем.",
    "No second witness has told anything (a simulated switch, or no calls yet): not reconciled.",
)

HEADS: Final[dict[str, Words]] = {
    "id": _two("код", "id"),
    "received": _two("поступил", "received"),
    "client": _two("клиент", "client"),
    "queue": _two("очередь", "queue"),
    "state": _two("состояние", "state"),
    "waited": _two("ждал", "waited"),
    "since": _two("с", "since"),
    "agent": _two("оператор", "agent"),
    "talk": _two("разговор", "talk"),
    "debt": _two("долг", "debt"),
    "opened": _two("открыт", "opened"),
    "owner": _two("отвечает", "owner"),
    "due": _two("срок", "due"),
    "next": _two("следующая попытка", "next attempt"),
    "attempts": _two("попыток", "attempts"),
    "calls": _two("звонков", "calls"),
    "status": _two("статус", "status"),
    "reason": _two("причина", "reason"),
    "ringing": _two("звоним", "ringing"),
    "phone": _two("телефон", "telephone"),
    "lasts": _two("длится", "lasts"),
    "alert": _two("тревога", "alert"),
    "about": _two("о чём", "about"),
    "detail": _two("подробность", "detail"),
    "login": _two("вход", "login"),
    "role": _two("роль", "role"),
    "name": _two("имя", "name"),
    "codes": _two("коды", "codes"),
    "signed_in": _two("входил", "signed in"),
    "disabled": _two("отключён", "disabled"),
}

ALERTS: Final[dict[str, Words]] = {
    "none": _two("Тревог нет.", "No alert is open."),
    "callers": _two("Звонящие", "Callers"),
    "advice": _two("Что делать", "What to do"),
}

BOARD: Final[dict[str, Words]] = {
    "waiting": _two("Ждут", "Waiting"),
    "talking": _two("Говорят", "Talking"),
    "agents": _two("Операторы", "Agents"),
    "debts": _two("Долги", "Open debts"),
    "nobody": _two("никого", "nobody"),
    "none": _two("нет", "none"),
    "more": _two("и ещё {count}", "and {count} more"),
    "away": _two("ДВИЖОК НЕ ОТВЕЧАЕТ, показано последнее", "ENGINE AWAY, the last known is shown"),
    "halted": _two("звонящих берёт запасная очередь", "callers go to the fallback queue"),
    "trunk_down": _two("транк не работает: {names}", "trunk down: {names}"),
    "unreachable": _two("недоступен", "unreachable"),
    "withheld": _two("скрыт", "withheld"),
    "now": _two("сейчас", "now"),
    "overdue": _two("просрочен", "overdue"),
    "attempting": _two("звоним", "calling"),
    "by_hand": _two("решает человек", "a person decides"),
    "then": _two("потом: {status}", "then: {status}"),
}

EVIDENCE: Final[dict[str, Words]] = {
    "made": _two("{path}: файлов {count}", "{path}: {count} files"),
    "with_numbers": _two(
        "В нём номера и имена: передавайте только тем, кому можно.",
        "It has numbers and names: hand it to those only who may have them.",
    ),
}

ANSWERS: Final[dict[str, Words]] = {
    "status_set": _two("{agent}: {status}", "{agent}: {status}"),
    "status_later": _two(
        "{agent}: {status}; {wanted}, когда освободится",
        "{agent}: {status}; {wanted} once he is free",
    ),
    "unknown_agent": _two("В плане нет оператора {agent}.", "The plan has no agent {agent}."),
    "bad_status": _two(
        "Статус: available, paused или signed_out.",
        "A status is available, paused or signed_out.",
    ),
    "unknown_story": _two("Нет ни звонка, ни долга {id}.", "There is no call and no debt {id}."),
    "too_long_ago": _two(
        "Журнал этого уже не помнит: {why}", "The journal does not tell any more: {why}"
    ),
    "refused": _two("Отказано: {message}", "Refused: {message}"),
    "token_once": _two(
        "Запишите ключ: он показан один раз.", "Note the secret: it is shown this once."
    ),
    "token_revoked": _two("Ключ {id} отозван.", "Token {id} is revoked."),
    "token_unknown": _two("Нет действующего ключа {id}.", "There is no valid token {id}."),
    "login_taken": _two("Имя {login} уже занято.", "Another has the login {login}."),
    "login_unknown": _two("Нет пользователя {login}.", "There is no user {login}."),
    "last_manager": _two(
        "Это последний, кто управляет пользователями: он остаётся.",
        "He is the last who manages users, and stays.",
    ),
    "user_disabled": _two(
        "{login} больше не войдёт; открытые страницы закроются.",
        "{login} is not let in any more; his open pages close.",
    ),
    "user_enabled": _two("{login} снова может входить.", "{login} may sign in again."),
    "password": _two("Пароль (пусто: придумаем)", "Password (empty: we make one)"),
    "password_again": _two("Ещё раз", "Once more"),
    "passwords_differ": _two("Пароли не совпали.", "The two passwords differ."),
    "password_once": _two(
        "Пароль показан один раз; при входе попросим сменить.",
        "The password is shown this once; he changes it when he signs in.",
    ),
    "empty": _two("Пусто.", "Nothing."),
}
