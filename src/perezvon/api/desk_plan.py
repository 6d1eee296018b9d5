"""What the plan means for an agent's desk: whom he serves, what calls may come to, what he says."""

from typing import Final

from perezvon.core.plan import Plan, Project
from perezvon.metrics.explanation_words import Language, Words

RESULTS: Final = (
    "done",
    "order",
    "consulted",
    "call_again",
    "complaint",
    "refused",
    "no_talk",
    "wrong_number",
    "spam",
    "other",
)
"""Where no project says otherwise. Keys; pages have words for them in each language."""

PAUSES: Final = ("break", "lunch", "meeting", "training", "paperwork", "technical")
"""Reasons of a pause, likewise."""

OPENING: Final[Words] = {
    "ru": (
        "Добрый день! Меня зовут {agent}, компания «{company}». "
        "У нас пропущенный звонок с вашего номера. Чем могу помочь?"
    ),
    "en": (
        "Good day, this is {agent}, {company}. "
        "We have a missed call from your number. How can we help?"
    ),
}


def project_of(plan: Plan | None, queue: str, did: str | None = None) -> Project | None:
    """The number's own project comes before its queue's."""
    if plan is None:
        return None
    named = [each.project for each in plan.dids if did is not None and each.number == did]
    named += [each.project for each in plan.queues if each.id == queue]
    wanted = next((project for project in named if project is not None), None)
    return next((project for project in plan.projects if project.id == wanted), None)


def results_for(project: Project | None) -> tuple[str, ...]:
    return project.results if project is not None and project.results else RESULTS


def opening_line(plan: Plan | None, agent: str, queue: str, language: Language) -> str:
    project = project_of(plan, queue)
    template = (project.opening if project is not None else "") or OPENING[language]
    company = project.name if project is not None else plan.tenant if plan is not None else ""
    people = plan.agents if plan is not None else ()
    name = next((each.name for each in people if each.id == agent), agent)
    # Not `format`: a template of the plan is no program.
    for place, word in (
        ("{agent}", name),
        ("{company}", company),
    ):
        template = template.replace(place, word)
    return template
