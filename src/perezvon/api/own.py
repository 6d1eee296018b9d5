"""Whether a call or a person is one's own, for those who reach their own only.

What is not his is told as what is not there: ids of others are none of his business.
"""

from perezvon.api.access import Principal
from perezvon.api.desk_plan import project_of, queues_served
from perezvon.api.errors import ApiError, not_found
from perezvon.api.roles import Permission, Reach
from perezvon.core.plan import Plan
from perezvon.store.database import Database
from perezvon.store.history import open_debts, was_offered
from perezvon.store.results import Noted


def agent_of(principal: Principal) -> str:
    """Whose desk it is."""
    if principal.agent is None:
        raise ApiError(422, "no_agent", "this account is not an agent of the plan")
    return principal.agent


def check_call(
    stored: Database, plan: Plan | None, principal: Principal, permission: Permission, call: Noted
) -> None:
    """His are those that rang him; a client of a project sees those of his projects."""
    match principal.reach(permission):
        case Reach.ALL:
            return
        case Reach.OWN:
            is_his = was_offered(stored, agent_of(principal), call=call.call)
        case Reach.PROJECTS:
            project = project_of(plan, call.queue, call.did)
            is_his = project is not None and project.id in principal.projects
    if not is_his:
        raise not_found("call")


def check_person(
    stored: Database,
    plan: Plan | None,
    principal: Principal,
    permission: Permission,
    person: str,
) -> None:
    """His are who rang him, and whom he or his queues owe a call."""
    if principal.reach(permission) is not Reach.OWN:
        return
    agent = agent_of(principal)
    served = queues_served(plan, agent)
    owed = any(
        debt.owner == agent or debt.queue in served for debt in open_debts(stored, person=person)
    )
    if not owed and not was_offered(stored, agent, person=person):
        raise not_found("person")
