"""What `perezvon up`, the demo and the doctor say, Russian and English side by side."""

from typing import Final, Literal, TypeAlias

Language: TypeAlias = Literal["ru", "en"]
Words: TypeAlias = dict[Language, str]


def _two(ru: str, en: str) -> Words:
    return {"ru": ru, "en": en}


UP: Final[dict[str, Words]] = {
    "port_taken": _two(
        "порт {port} занят: задайте {variable}", "port {port} is taken: set {variable}"
    ),
    "running": _two(
        "Perezvon уже работает с папкой {folder} (процесс {pid})",
        "Perezvon already runs on the folder {folder} (process {pid})",
    ),
    "bringing": _two(
        "Ищу Asterisk; если его нет, скачаю и распакую (около минуты)…",
        "Looking for Asterisk; if there is none, it is fetched and unpacked (about a minute)…",
    ),
    "asterisk": _two("Asterisk {version}", "Asterisk {version}"),
    "starter_plan": _two(
        "Плана ещё нет: начинаем с {file}. Измените его и выполните: perezvon plan apply {file}",
        "No plan yet: beginning with {file}. Change it, then: perezvon plan apply {file}",
    ),
    "other_plan": _two(
        "Действует план {version}, применённый раньше. Чтобы взять файл: "
        "perezvon plan apply {file}",
        "The plan applied before, {version}, is in force. To take the file: "
        "perezvon plan apply {file}",
    ),
    "starting": _two("Запускаю: {names}…", "Starting: {names}…"),
    "not_started": _two(
        "{name} не запускается. Последние строки журнала {log}:",
        "{name} does not start. The last lines of its log {log}:",
    ),
    "ready": _two(
        "Perezvon работает. Остановить: Ctrl-C.", "Perezvon is running. To stop it: Ctrl-C."
    ),
    "sip": _two("  телефоны и транки  sip:{host}:{port}", "  phones and trunks  sip:{host}:{port}"),
    "web": _two("  страница и API     {url}", "  page and API       {url}"),
    "web_of_network": _two("  из вашей сети      {url}", "  from your network  {url}"),
    "authority": _two("  доверить браузерам {file}", "  browsers trust     {file}"),
    "certificate_over": _two(
        "Сертификат {file} действует только до {day}: браузеры предупредят каждого; продлите его",
        "The certificate {file} was good until {day} only: browsers warn everybody; renew it",
    ),
    "setup": _two(
        "  первый вход        откройте страницу и введите код {code}",
        "  first sign-in      open the page and enter the code {code}",
    ),
    "token": _two("  ключ API           {file}", "  API token          {file}"),
    "secrets": _two("  пароли телефонов   {file}", "  phones' passwords  {file}"),
    "watch": _two("  табло в терминале  {command}", "  board in terminal  {command}"),
    "logs": _two("  журналы            {folder}", "  logs               {folder}"),
    "ended": _two(
        "{name}: процесс {pid} завершился ({detail}), запускаю снова; журнал: {log}",
        "{name}: process {pid} ended ({detail}), starting it again; log: {log}",
    ),
    "hung": _two(
        "{name}: процесс {pid} не отвечает ({detail}), перезапускаю; журнал: {log}",
        "{name}: process {pid} does not answer ({detail}), restarting it; log: {log}",
    ),
    "back": _two("{name}: снова работает.", "{name}: works again."),
    "stopping": _two("Останавливаю…", "Stopping…"),
    "stopped": _two("Остановлено.", "Stopped."),
    "plan_taken": _two(
        "План {version} записан в Asterisk; звонки не прерывались.",
        "Plan {version} was written to Asterisk; no call was touched.",
    ),
    "plan_refused": _two(
        "План {version} нельзя записать в Asterisk, он работает с прежним: {reason}",
        "Plan {version} cannot be written to Asterisk, which keeps the one before: {reason}",
    ),
}

STORY: Final[dict[str, Words]] = {
    "calls": _two("☎  {who} звонит.", "☎  {who} calls."),
    "rings": _two("   {who} ждёт; звонят телефоны: {agents}.", "   {who} waits; rung: {agents}."),
    "rings_callback": _two(
        "   Для перезвона клиенту {who} звоним сначала своему: {agents}.",
        "   To call {who} back, our own telephone first: {agents}.",
    ),
    "answered": _two(
        "✔  {agent} отвечает {who} (ожидание {wait} с).",
        "✔  {agent} answers {who} (waited {wait} s).",
    ),
    "let_ring": _two(
        "   {agent}: телефон звонил {ring} с, трубку не взяли.",
        "   {agent} let it ring for {ring} s.",
    ),
    "missed": _two(
        "✘  {who} не дождался ответа ({wait} с): звонок пропущен.",
        "✘  {who} gave up after {wait} s: a missed call.",
    ),
    "waived": _two(
        "   {who}: долга нет (слишком короткий звонок или номер скрыт).",
        "   {who}: nothing owed (too short a call, or no number).",
    ),
    "owed": _two(
        "!  Открыт долг: перезвонить {who} до {due}, отвечает {owner}.",
        "!  A debt is open: call {who} back by {due}; owner {owner}.",
    ),
    "scheduled": _two(
        "   Попытка перезвонить {who}: в {due}.", "   Next try to call {who} back: {due}."
    ),
    "callback": _two("↩  Перезваниваем {who}.", "↩  Calling {who} back."),
    "dialled": _two(
        "↩  {agent} на линии, набираем {who}.", "↩  {agent} is on the line; dialling {who}."
    ),
    "not_reached": _two("   Перезвон {who} не удался: {why}.", "   {who} was not reached: {why}."),
    "settled_recovered": _two(
        "✔  Перезвон удался: {by} говорит с {who}. Долг закрыт.",
        "✔  Called back: {by} talks with {who}. The debt is settled.",
    ),
    "settled_reached_us": _two(
        "✔  {who} дозвонился сам. Долг закрыт.",
        "✔  {who} reached us himself. The debt is settled.",
    ),
    "settled_waived": _two(
        "   Долг перед {who} списан: {by}.", "   The debt to {who} is waived: {by}."
    ),
    "ended": _two(
        "   Разговор {agent} и {who} окончен ({talk} с).",
        "   {agent} and {who} have finished ({talk} s).",
    ),
    "fell_back": _two(
        "!  {who} принят запасной очередью Asterisk.",
        "!  {who} was taken by Asterisk's own queue.",
    ),
    "ledger": _two(
        "▣  РЕЕСТР {verdict}: обращений {arrivals} = в работе {in_progress} + отвечены {answered} "
        "+ перезвонили {recovered} + дозвонились сами {reached_us} + сняты {waived} "
        "+ должны перезвонить {open}.",
        "▣  LEDGER {verdict}: arrivals {arrivals} = in progress {in_progress} "
        "+ answered {answered} + recovered {recovered} + reached us {reached_us} "
        "+ waived {waived} + open {open}.",
    ),
    "balanced": _two("сходится", "balanced"),
    "unbalanced": _two("НЕ СХОДИТСЯ", "OUT OF BALANCE"),
    "withheld": _two("скрытый номер", "a withheld number"),
    "nobody": _two("никто", "nobody"),
    "no_answer": _two("не берёт трубку", "no answer"),
    "busy": _two("занято", "busy"),
    "bad_number": _two("номер не существует", "no such number"),
    "trunk_failed": _two("линия оператора связи не работает", "the carrier failed"),
    "left_waiting": _two("повесил трубку, не дождавшись", "he hung up before an agent came"),
    "cancelled": _two("отменён", "cancelled"),
    "never_made": _two("не состоялся", "it was never made"),
}

DEMO: Final[dict[str, Words]] = {
    "intro": _two(
        "Городок: второй Asterisk играет оператора связи, звонящих и телефоны сотрудников.\n"
        "Через три минуты вы увидите ответы, пропущенный звонок, долг, перезвон и реестр.",
        "The town: a second Asterisk plays the carrier, the callers and the agents' telephones.\n"
        "Within three minutes: answers, a missed call, its debt, the call-back, the ledger.",
    ),
    "intro_sim": _two(
        "Asterisk не нужен: звонящие, операторы и телефонная станция — модель.\n"
        "Через три минуты вы увидите ответы, пропущенный звонок, долг, перезвон и реестр.",
        "No Asterisk here: callers, agents and the switch are simulated.\n"
        "Within three minutes: answers, a missed call, its debt, the call-back, the ledger.",
    ),
    "phones": _two(
        "Телефоны зарегистрированы, операторы на линии. Первый звонок через несколько секунд.",
        "The telephones are registered, the agents are on line. The first call in a few seconds.",
    ),
    "accounts": _two(
        "Кем войти на {url} (пароли только для этого запуска):",
        "Who to sign in as at {url} (passwords of this run only):",
    ),
    "account": _two("  {role:<11} {login:<11} {password}", "  {role:<11} {login:<11} {password}"),
    "no_phones": _two(
        "Телефоны городка не зарегистрировались за {seconds} с.",
        "The town's telephones did not register in {seconds} s.",
    ),
    "whole": _two(
        "История показана целиком, реестр сходится.",
        "The whole story was seen, and the ledger is in balance.",
    ),
    "not_whole": _two(
        "История не показана целиком: ответов {answered}, пропущено {missed}, долгов {owed}, "
        "возвращено {recovered}.",
        "The story is not complete: answered {answered}, missed {missed}, debts {owed}, "
        "recovered {recovered}.",
    ),
}


def say_as(table: dict[str, Words], key: str, language: Language, **values: object) -> str:
    """The text of this key; values are put in as they are."""
    return table[key][language].format(**values)
