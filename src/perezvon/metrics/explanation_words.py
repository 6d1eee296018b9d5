"""The words of an explanation, Russian and English side by side, so that neither falls behind.

A parameter's name says how it is shown: `…_ms` a length, `…_at` a moment, `agent`, `agents` and
`by` names of people, and those that have a table in `WORDS` a word of it.
"""

from typing import Final, Literal, TypeAlias

Language: TypeAlias = Literal["ru", "en"]
Words: TypeAlias = dict[Language, str]

LANGUAGES: Final[tuple[Language, ...]] = ("ru", "en")
LISTS: Final[Words] = {"ru": ", ", "en": ", "}


def _two(ru: str, en: str) -> Words:
    return {"ru": ru, "en": en}


TEMPLATES: Final[dict[str, Words]] = {
    "received": _two(
        "Звонок на номер {did}, очередь «{queue}».",
        "Call to {did}, queue “{queue}”.",
    ),
    "received_unknown_number": _two(
        "Звонок на номер {did}, которого нет в плане: взят очередью «{queue}».",
        "Call to {did}, which the plan does not know: taken by queue “{queue}”.",
    ),
    "greeted": _two("Слушал приветствие {greeting_ms}.", "Heard the greeting for {greeting_ms}."),
    "queued": _two("Ждёт в очереди «{queue}».", "Waits in queue “{queue}”."),
    "queued_older": _two(
        "Ждёт в очереди «{queue}» с прежним местом, от {key_at}: мы ему должны.",
        "Waits in queue “{queue}” with his older place, of {key_at}: we owe him.",
    ),
    "offered": _two(
        "Звоним операторам: {agents}. Правило: {ranking}, шаг {step}.",
        "Ringing: {agents}. Rule: {ranking}, step {step}.",
    ),
    "offered_callback": _two(
        "Перезвон предложен: {agents}. Правило: {ranking}.",
        "Call-back offered to: {agents}. Rule: {ranking}.",
    ),
    "offered_dial": _two("Звоним самому оператору: {agent}.", "Ringing {agent} himself."),
    "offered_transfer": _two(
        "Звоним тому, кому передают: {agent}.", "Ringing who is to take him over: {agent}."
    ),
    "offered_return": _two(
        "Никто не взял: звоним тому, кто передавал, — {agent}.",
        "Nobody took him: ringing who handed him over, {agent}.",
    ),
    "placed": _two(
        "{agent} звонит клиенту сам; клиент видит номер {did}.",
        "{agent} dials the client by hand; the client sees {did}.",
    ),
    "placed_answered": _two(
        "Клиент ответил, говорит {agent}; прошло {wait_ms}.",
        "The client answered and talks with {agent}; it took {wait_ms}.",
    ),
    "placed_reached": _two("Клиент ответил.", "The client answered."),
    "placed_no_answer": _two("Клиент не ответил.", "The client did not answer."),
    "placed_busy": _two("У клиента занято.", "The client was busy."),
    "placed_bad_number": _two("Номер не существует.", "The number does not exist."),
    "placed_trunk_failed": _two("Отказ оператора связи.", "The carrier failed."),
    "placed_left_waiting": _two(
        "Клиент ответил и не дождался оператора.",
        "The client answered and left before an agent was there.",
    ),
    "placed_cancelled": _two("{agent} прервал набор.", "{agent} broke the dialling off."),
    "placed_never_made": _two("Звонок не был сделан.", "The call was never made."),
    "transfer_to_agent": _two(
        "{by} передаёт клиента {manner}: {agent}.",
        "{by} hands the client over to {agent}, {manner}.",
    ),
    "transfer_to_queue": _two(
        "{by} передаёт клиента {manner} в очередь «{queue}».",
        "{by} hands the client over to queue “{queue}”, {manner}.",
    ),
    "transfer_to_number": _two(
        "{by} передаёт клиента {manner} на внешний номер.",
        "{by} hands the client over to a number outside, {manner}.",
    ),
    "consults_agent": _two("{by} советуется с {agent}.", "{by} talks to {agent} about him."),
    "consults_number": _two(
        "{by} советуется по внешнему номеру.", "{by} talks to the number outside about him."
    ),
    "handed_over": _two(
        "{agent} оставляет разговор, говорил {talk_ms}.",
        "{agent} leaves the talk after {talk_ms}.",
    ),
    "transfer_taken": _two("Клиента принял: {agent}.", "The client was taken over by {agent}."),
    "transfer_taken_outside": _two(
        "Клиента приняли на внешнем номере.", "The client was taken over by the number outside."
    ),
    "transfer_failed": _two(
        "Передача не удалась: {transfer_failure}.", "The transfer failed: {transfer_failure}."
    ),
    "agent_lost": _two(
        "У {agent} пропал телефон; клиент слышит музыку.",
        "The telephone of {agent} is gone; the client hears music.",
    ),
    "agent_rejoined": _two("{agent} вернулся в разговор.", "{agent} is back in the talk."),
    "runners_up": _two("Следующие по порядку: {agents}.", "Next in order: {agents}."),
    "excluded": _two("Не рассматривались: {excluded}.", "Not considered: {excluded}."),
    "offer_answered": _two(
        "{agent}: взял трубку, телефон звонил {ring_ms}.",
        "{agent}: picked up, the telephone rang {ring_ms}.",
    ),
    "offer_rescinded": _two(
        "{agent}: вызов снят, телефон звонил {ring_ms}.",
        "{agent}: offer withdrawn, the telephone rang {ring_ms}.",
    ),
    "offer_missed": _two(
        "{agent}: пропустил, телефон звонил {ring_ms}.",
        "{agent}: missed it, the telephone rang {ring_ms}.",
    ),
    "offer_refused": _two(
        "{agent}: отклонил, телефон звонил {ring_ms}.",
        "{agent}: declined, the telephone rang {ring_ms}.",
    ),
    "offer_unreachable": _two(
        "{agent}: телефон недоступен, он не звонил.",
        "{agent}: the telephone is unreachable, it did not ring.",
    ),
    "offer_dropped_at_answer": _two(
        "{agent}: взял трубку, но связь сразу оборвалась.",
        "{agent}: picked up, but the line dropped at once.",
    ),
    "answered": _two(
        "Отвечает {agent}; клиент ждал {wait_ms}.",
        "Answered by {agent}; the client waited {wait_ms}.",
    ),
    "answered_in_fallback": _two(
        "Отвечает {agent} через запасную очередь; клиент ждал {wait_ms}.",
        "Answered by {agent} through the fallback queue; the client waited {wait_ms}.",
    ),
    "missed": _two(
        "Пропущен: {reason}; {cause}. Ждал {waited_ms}. Звонили: {agents}.",
        "Missed: {reason}; {cause}. Waited {waited_ms}. Rung: {agents}.",
    ),
    "missed_nobody_rung": _two(
        "Пропущен: {reason}; {cause}. Ждал {waited_ms}. Никому не звонили.",
        "Missed: {reason}; {cause}. Waited {waited_ms}. Nobody was rung.",
    ),
    "ended": _two(
        "Разговор окончен, длился {talk_ms}; завершил: {ended_by}.",
        "The talk is over after {talk_ms}; ended by {ended_by}.",
    ),
    "cut": _two(
        "Разговор прервала авария станции: говорил {agent}, {talk_ms}. Мы снова должны.",
        "A failure of the switch cut the talk with {agent} after {talk_ms}. We owe him again.",
    ),
    "witness_unheard": _two(
        "Об этом звонке знал только журнал станции: ни мы, ни запасная очередь его не видели.",
        "Only the switch's own diary knew of this call: neither we nor the fallback saw it.",
    ),
    "witness_unseen": _two(
        "В журнале станции конца этого звонка нет: тревога сверки.",
        "The switch's own diary has no end of this call: a reconciliation alert.",
    ),
    "waived": _two("Долга нет: {kind}.", "Nothing is owed: {kind}."),
    "waived_by_rule": _two(
        "Долга нет: {kind}, правило «{rule}».",
        "Nothing is owed: {kind}, rule “{rule}”.",
    ),
    "owed": _two("Мы должны перезвонить: долг {debt}.", "We owe a call-back: debt {debt}."),
    "fell_back": _two(
        "Звонящего взяла запасная очередь станции.",
        "The switch's own fallback queue took the caller over.",
    ),
    "leg_failed": _two("Линия {leg}: {end_cause}.", "Line {leg}: {end_cause}."),
    "debt_opened": _two(
        "Открыт долг {debt}: отвечает {agent}, срок {due_at}, правило «{rule}».",
        "Debt {debt} opened: owner {agent}, due {due_at}, rule “{rule}”.",
    ),
    "debt_opened_nobody": _two(
        "Открыт долг {debt}: ответственного нет, срок {due_at}, правило «{rule}».",
        "Debt {debt} opened: no owner, due {due_at}, rule “{rule}”.",
    ),
    "debt_reopened": _two(
        "Долг {debt} открыт снова: отвечает {agent}, срок {due_at}. Обращений: {count}.",
        "Debt {debt} is open again: owner {agent}, due {due_at}. Attempts under it: {count}.",
    ),
    "debt_reopened_nobody": _two(
        "Долг {debt} открыт снова: ответственного нет, срок {due_at}. Обращений: {count}.",
        "Debt {debt} is open again: no owner, due {due_at}. Attempts under it: {count}.",
    ),
    "debt_overdue": _two(
        "Долг {debt} просрочен и передан: {agent}.",
        "Debt {debt} is overdue and went to {agent}.",
    ),
    "debt_overdue_nobody": _two("Долг {debt} просрочен.", "Debt {debt} is overdue."),
    "debt_reassigned": _two(
        "Долг {debt} передан: {agent} (решил {by}).",
        "Debt {debt} assigned to {agent} (by {by}).",
    ),
    "settled_recovered": _two(
        "Долг {debt} закрыт: перезвонили, говорил {by}. Обращений: {count}.",
        "Debt {debt} settled: called back, {by} talked. Attempts under it: {count}.",
    ),
    "settled_reached_us": _two(
        "Долг {debt} закрыт: клиент дозвонился сам, говорил {by}. Обращений: {count}.",
        "Debt {debt} settled: the client reached us himself, {by} talked. "
        "Attempts under it: {count}.",
    ),
    "settled_waived": _two(
        "Долг {debt} снят: {by}. {note}",
        "Debt {debt} waived by {by}. {note}",
    ),
    "settled_waived_person": _two(
        "Долг {debt} снял {by}. Причина: {note}",
        "Debt {debt} waived by {by}. Reason: {note}",
    ),
    "settled_waived_gave_up": _two(
        "Долг {debt} снят по давности, правило «{by}».",
        "Debt {debt} waived for its age, rule “{by}”.",
    ),
    "settled_waived_rule": _two(
        "Долг {debt} снят правилом «{by}».", "Debt {debt} waived by rule “{by}”."
    ),
    "settled_waived_short": _two(
        "Долг {debt} снят: слишком короткое обращение.",
        "Debt {debt} waived: the attempt was too short.",
    ),
    "settled_waived_no_number": _two(
        "Долг {debt} снят: номер неизвестен.", "Debt {debt} waived: no number is known."
    ),
    "attempt_scheduled": _two(
        "Перезвон назначен на {due_at}, ступень {step}.",
        "Call-back planned for {due_at}, step {step} of the ladder.",
    ),
    "ladder_exhausted": _two(
        "Лестница перезвонов пройдена: решает ответственный.",
        "The ladder is exhausted: its owner has to see to it.",
    ),
    "attempt_started": _two(
        "Попытка перезвона {dial}: {order}.", "Call-back attempt {dial}: {order}."
    ),
    "client_dialled": _two(
        "Попытка {dial}: звоним клиенту, на линии {agent}.",
        "Attempt {dial}: dialling the client, {agent} is on the line.",
    ),
    "client_dialled_first": _two(
        "Попытка {dial}: звоним клиенту.", "Attempt {dial}: dialling the client."
    ),
    "attempt_reached": _two(
        "Попытка {dial}: клиент ответил.", "Attempt {dial}: the client answered."
    ),
    "attempt_no_answer": _two(
        "Попытка {dial}: клиент не ответил.", "Attempt {dial}: the client did not answer."
    ),
    "attempt_busy": _two(
        "Попытка {dial}: у клиента занято.", "Attempt {dial}: the client was busy."
    ),
    "attempt_bad_number": _two(
        "Попытка {dial}: номер не существует.", "Attempt {dial}: the number does not exist."
    ),
    "attempt_trunk_failed": _two(
        "Попытка {dial}: отказ оператора связи; ступень не потрачена.",
        "Attempt {dial}: the carrier failed; no step was used up.",
    ),
    "attempt_left_waiting": _two(
        "Попытка {dial}: клиент ответил, но не дождался оператора.",
        "Attempt {dial}: the client answered and left before an agent did.",
    ),
    "attempt_cancelled": _two("Попытка {dial}: отменена.", "Attempt {dial}: cancelled."),
    "attempt_never_made": _two(
        "Попытка {dial}: звонок не был сделан.", "Attempt {dial}: the call was never made."
    ),
}

WORDS: Final[dict[str, dict[str, Words]]] = {
    "ranking": {
        "longest_idle": _two("дольше всех свободен", "longest idle"),
        "fewest_calls": _two("меньше всех звонков", "fewest calls"),
        "round_robin": _two("по кругу", "round robin"),
        "by_level": _two("по уровню", "by level"),
        "random": _two("случайно", "random"),
        "all": _two("все сразу", "all at once"),
        "by_presence": _two("вероятнее всего на месте", "most likely present"),
        "least_recent": _two("давнее всех отвечал", "least recent"),
    },
    "excluded": {
        "talking": _two("говорят", "talking"),
        "wrap_up": _two("постобработка", "wrap-up"),
        "paused": _two("на перерыве", "paused"),
        "signed_out": _two("не на смене", "signed out"),
        "ringing": _two("уже звонит телефон", "ringing"),
        "unreachable": _two("недоступны", "unreachable"),
        "supervising": _two("слушают разговор", "supervise a talk"),
        "skills": _two("нет навыка", "lack a skill"),
        "missed_this_call": _two("уже пропустили этот звонок", "missed this call"),
        "refused_this_call": _two("отклонили этот звонок", "refused this call"),
    },
    "reason": {
        "left_in_greeting": _two("ушёл во время приветствия", "left during the greeting"),
        "left_waiting": _two("ушёл из ожидания", "left while waiting"),
        "left_ringing": _two("ушёл, пока звонили операторам", "left while agents were rung"),
        "timed_out": _two("вышло время ожидания", "waited too long"),
        "queue_full": _two("очередь полна", "the queue was full"),
        "after_hours": _two("нерабочее время", "out of hours"),
        "caller_abandoned_at_answer": _two(
            "ушёл в миг ответа", "left at the very moment of the answer"
        ),
        "dropped_at_answer": _two("связь оборвалась при ответе", "dropped at the answer"),
        "abandoned_in_fallback": _two("ушёл из запасной очереди", "left the fallback queue"),
        "system_failure": _two("отказ системы", "a failure of the system"),
        "transfer_not_taken": _two("передачу никто не принял", "nobody took the transfer"),
    },
    "cause": {
        "nobody_there": _two("на смене никого не было", "nobody was there"),
        "overloaded": _two("все были заняты", "everybody was busy"),
        "unanswered": _two("свободные не взяли трубку", "those who were free did not pick up"),
        "fault": _two("неисправность", "a fault"),
        "closed": _two("закрыто", "closed"),
    },
    "kind": {
        "short": _two("слишком короткое обращение", "the attempt was too short"),
        "no_number": _two("номер неизвестен", "no number is known"),
        "rule": _two("так велит правило", "a rule says so"),
        "gave_up": _two("слишком давно", "too long ago"),
        "person": _two("так решил человек", "a person decided so"),
    },
    "order": {
        "agent_first": _two("сначала оператор", "agent first"),
        "client_first": _two("сначала клиент", "client first"),
    },
    "ended_by": {
        "client": _two("клиент", "the client"),
        "agent": _two("оператор", "the agent"),
        "system": _two("система", "the system"),
        "target": _two("внешний номер", "the number outside"),
    },
    "manner": {
        "blind": _two("сразу", "at once"),
        "attended": _two("после разговора с ним", "after asking"),
    },
    "transfer_failure": {
        "not_free": _two("занят", "not free"),
        "closed": _two("очередь закрыта", "the queue is closed"),
        "not_taken": _two("не взяли трубку", "nobody picked up"),
        "refused": _two("отклонено", "declined"),
        "unreachable": _two("недоступен", "unreachable"),
        "cancelled": _two("отменил тот, кто передавал", "cancelled by who had asked"),
        "target_left": _two("тот, кого спросили, положил трубку", "who was asked hung up"),
        "client_left": _two("клиент положил трубку", "the client hung up"),
        "timed_out": _two("вышло время ожидания", "waited too long"),
        "broken_off": _two("отказ системы", "a failure of the system"),
    },
    "end_cause": {
        "normal": _two("завершена", "ended"),
        "cancelled": _two("снята", "withdrawn"),
        "busy": _two("занято", "busy"),
        "refused": _two("отклонено", "declined"),
        "no_answer": _two("нет ответа", "no answer"),
        "unreachable": _two("недоступно", "unreachable"),
        "bad_number": _two("неверный номер", "bad number"),
        "trunk_failed": _two("отказ оператора связи", "the carrier failed"),
        "lost": _two("потеряна", "lost"),
        "never_made": _two("не была начата", "never made"),
        "went_silent": _two("замолчала: телефон пропал", "went silent: the telephone is gone"),
    },
}

_SECONDS: Final[Words] = {"ru": "с", "en": "s"}
_MINUTES: Final[Words] = {"ru": "мин", "en": "min"}
_HOURS: Final[Words] = {"ru": "ч", "en": "h"}


def duration(length_ms: int, language: Language) -> str:
    """`4.2 s` below ten seconds, then `12 s`, `3 min 05 s`, `2 h 07 min`."""
    tenths = (length_ms + 50) // 100
    if tenths < 100:  # noqa: PLR2004 - ten seconds
        mark = "," if language == "ru" else "."
        fraction = f"{mark}{tenths % 10}" if tenths % 10 else ""
        return f"{tenths // 10}{fraction} {_SECONDS[language]}"
    seconds = (length_ms + 500) // 1000
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} {_SECONDS[language]}"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} {_MINUTES[language]} {seconds:02d} {_SECONDS[language]}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} {_HOURS[language]} {minutes:02d} {_MINUTES[language]}"
