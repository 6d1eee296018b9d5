"""The plan that a new installation begins with: three telephones, one number, call-back."""

from pathlib import Path
from typing import Final

TEXTS: Final = {
    "ru": """\
# План Perezvon: кто отвечает на звонки и что бывает с пропущенными.
# Проверить: perezvon plan check {name}. Применить: perezvon plan apply {name}.
zone: Europe/Moscow
language: ru

agents:                # телефоны: имя пользователя a101, пароль в файле секретов
  a101: Первый оператор
  a102: Второй оператор
  a103: Третий оператор

groups:
  office: [a101, a102, a103]

queues:
  office:
    name: Офис
    steps: {{groups: office, k: 3, ring: 10s}}

# Транк оператора связи и номер:
# trunks:
#   carrier: {{host: sip.example.com, username: "74951234567", secret: carrier, register: true}}
# numbers:
#   "74951234567": {{queue: office, trunk: carrier}}
""",
    "en": """\
# A plan of Perezvon: who answers calls, and what becomes of missed ones.
# Check it: perezvon plan check {name}. Apply it: perezvon plan apply {name}.
zone: Europe/Moscow
language: en

agents:                # telephones: user a101, its password is in the file of secrets
  a101: First agent
  a102: Second agent
  a103: Third agent

groups:
  office: [a101, a102, a103]

queues:
  office:
    name: Office
    steps: {{groups: office, k: 3, ring: 10s}}

# The carrier's trunk and the number:
# trunks:
#   carrier: {{host: sip.example.com, username: "74951234567", secret: carrier, register: true}}
# numbers:
#   "74951234567": {{queue: office, trunk: carrier}}
""",
}


def write(path: Path, language: str) -> None:
    """Put it down, unless a plan is there already."""
    if not path.exists():
        path.write_text(TEXTS[language].format(name=path.name))
