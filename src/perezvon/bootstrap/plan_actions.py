"""What may be asked of a running engine about its plan: another in its place, and it as a file."""

import asyncio
from collections.abc import Callable
from typing import Any

from perezvon.core.events import PlanChanged
from perezvon.core.plan import Plan
from perezvon.runtime.actions import PlanApplyArgs, PlanExportArgs, Submit, checked
from perezvon.runtime.local import Action, Refused
from perezvon.store import plan_export, plan_file


class PlanRefused(Refused):
    """The plan file's own words: which line, and why."""

    def __init__(self, error: plan_file.PlanFileError) -> None:
        super().__init__("plan_refused", str(error), "text")


def plan_actions(running: Callable[[], Plan], submit: Submit) -> dict[str, Action]:
    one_at_a_time = asyncio.Lock()

    async def apply(args: PlanApplyArgs) -> dict[str, Any]:
        try:
            plan = await asyncio.to_thread(plan_file.parse, args.text)
        except plan_file.PlanFileError as error:
            raise PlanRefused(error) from error
        # Of two who apply at once, the second sees what the first has put in force.
        async with one_at_a_time:
            was = running()
            if args.base and args.base != was.version and not args.force:
                raise Refused("stale_base", f"the running plan is {was.version}", "base")
            if plan.tenant != was.tenant:
                raise Refused("other_tenant", "a plan cannot change its tenant", "tenant")
            await submit(PlanChanged(plan, args.by, args.comment))
        return {"version": plan.version, "was": was.version}

    async def export(args: PlanExportArgs) -> dict[str, Any]:
        plan = running()
        if args.version and args.version != plan.version:
            raise Refused("not_running", f"the running plan is {plan.version}", "version")
        return {"version": plan.version, "text": plan_export.dump(plan)}

    return {
        "plan.apply": checked(PlanApplyArgs, apply),
        "plan.export": checked(PlanExportArgs, export),
    }
