"""The dialplan: the two-part guard and the fallback queue that hold without an engine.

Part one is a heartbeat that the engine renews each second; part two is a limit of the call's life
in the application, which the engine keeps moving forward. A dead or frozen engine can renew
neither, so no caller waits for it for ever. Measured under load: see the decision on the guard.
"""

from perezvon.asterisk import conf, numbers
from perezvon.asterisk.pjsip import phone_endpoint
from perezvon.asterisk.sounds import FALLBACK_GOODBYE
from perezvon.core.plan import Agent, DeviceKind, Plan, PlanError, Trunk
from perezvon.runtime.recordings import AGENT, CLIENT, MIXED

FALLBACK_WAIT_S = 300
"""In the local queue, then goodbye: the debt is opened from its log."""

FALLBACK_RING_S = 15
ECHO_S = 60
ACCEPT_S = 8

EXTENSIONS = """\
; The heartbeat must not be set here: a reload would reset it.
[globals]

; Of the trunks alone: a call that starts here is an inbound attempt.
[inbound-{t}]
exten => _.,1,Set(CC_IN=${{FILTER(0-9+,${{EXTEN}})}})
 same => n,Goto(guard-{t},s,1)
; The pattern above takes whatever a carrier may send; this one is run after a hang-up too.
exten => h,1,Hangup()

[guard-{t}]
exten => s,1,Set(CC_ID=${{FILTER(0-9A-Za-z,${{UNIQUEID}})}})
; Armed here, it records from the bridge on.
 same => n,MixMonitor({monitor})
 same => n,Set(HB=${{FILTER(0-9,${{GLOBAL(CC_HB_{t})}})}})
 same => n,GotoIf($["${{HB}}" = ""]?fb)
 same => n,Set(AGE=$[${{EPOCH}} - ${{HB}}])
 same => n,GotoIf($[${{AGE}} > {age} | ${{AGE}} < -{age}]?fb)
; Here, and not only from the engine: it may freeze before it sees the call.
 same => n,Set(TIMEOUT(absolute)={dead_man})
; He hears it ring at once, and it costs no request of the engine.
 same => n,Ringing()
 same => n,Stasis(perezvon-{t},in,${{CC_ID}},${{CC_IN}})
 same => n,GotoIf($["${{STASISSTATUS}}" = "SUCCESS"]?done)
 same => n(fb),Set(TIMEOUT(absolute)=0)
 same => n,Goto(localq-{t},s,1)
 same => n(done),Hangup()
; The engine went silent. The status says SUCCESS here, so it is not looked at.
exten => T,1,Set(TIMEOUT(absolute)=0)
 same => n,Goto(localq-{t},s,1)

[localq-{t}]
exten => s,1,Answer()
 same => n,Queue(fallback-{t},rtC,,,{wait})
 same => n,Playback({goodbye})
 same => n,Hangup()

; Agents' telephones are rung, they do not dial: nothing here leads outside.
[phones-{t}]
exten => *43,1,Answer()
 same => n,Set(TIMEOUT(absolute)={echo})
 same => n,Echo()
 same => n,Hangup()
"""

MOBILES = """
; Agents' mobiles in the fallback queue: only who presses 1 gets the caller, no voicemail does.
[mobiles-{t}]
"""

MOBILE = """\
exten => {place},1,Dial(PJSIP/{number}@trunk-{trunk},{ring},U(accept-{t}))
 same => n,Hangup()
"""

ACCEPT = """
[accept-{t}]
exten => s,1,Read(CC_KEY,followme/options,1,,1,{wait})
 same => n,GotoIf($["${{CC_KEY}}" = "1"]?yes)
 same => n,Set(GOSUB_RESULT=CONTINUE)
 same => n(yes),Return()
"""


def extensions_conf(plan: Plan, *, heartbeat_age_s: int, dead_man_s: int) -> str:
    """The whole dialplan of a tenant."""
    tenant = conf.name("tenant", plan.tenant)
    text = EXTENSIONS.format(
        t=tenant, age=heartbeat_age_s, dead_man=dead_man_s, wait=FALLBACK_WAIT_S,
        goodbye=FALLBACK_GOODBYE, echo=ECHO_S, monitor=monitor("${CC_ID}"),
    )  # fmt: skip
    return text + _mobiles(plan, tenant)


def monitor(stem: str) -> str:
    """Arguments of MixMonitor on a client's leg: its files have these names, see
    `runtime.recordings`. `b`: nothing is written until he is put through, nor while he waits.
    """
    return f"{stem}{MIXED},br({stem}{CLIENT})t({stem}{AGENT})"


def queues_conf(plan: Plan) -> str:
    """The fallback queue with every agent's telephones in it, for nobody tells it which of them
    he has chosen.
    """
    tenant = conf.name("tenant", plan.tenant)
    return conf.section("general", persistentmembers=False, autofill=True) + conf.section(
        f"fallback-{tenant}",
        # One after another: with one rung by all, a second caller would wait for the first.
        strategy="rrmemory",
        timeout=FALLBACK_RING_S,
        retry=1,
        ringinuse=False,
        timeoutrestart=True,
        joinempty=True,
        leavewhenempty=False,
        member=[
            _member(agent, device, tenant, place)
            for place, agent in enumerate(plan.agents)
            for device in agent.devices
        ],
    )


def _member(agent: Agent, device: DeviceKind, tenant: str, place: int) -> str:
    agent_id = conf.name(f"agents.{agent.id}", agent.id)
    if device is DeviceKind.MOBILE:
        interface, state = f"Local/{place}@mobiles-{tenant}/n", ""
    else:
        interface = state = f"PJSIP/{phone_endpoint(agent, device)}"
    return f"{interface},0,{agent_id},{state}"


def _mobiles(plan: Plan, tenant: str) -> str:
    trunks = {trunk.id: trunk for trunk in plan.trunks}
    lines = [
        MOBILE.format(
            t=tenant,
            # Asterisk does not tell `a-1` from `a1` in an extension, so ids are of no use there.
            place=place,
            number=_dialled(agent, trunk),
            trunk=conf.name(f"trunks.{trunk.id}", trunk.id),
            ring=FALLBACK_RING_S + ACCEPT_S,
        )
        for place, agent in enumerate(plan.agents)
        if DeviceKind.MOBILE in agent.devices and agent.trunk is not None
        for trunk in (trunks[agent.trunk],)
    ]
    if not lines:
        return ""
    return MOBILES.format(t=tenant) + "".join(lines) + ACCEPT.format(t=tenant, wait=ACCEPT_S)


def _dialled(agent: Agent, trunk: Trunk) -> str:
    """The number of an agent's mobile as this carrier wants it."""
    number = numbers.to_dial("+" + agent.number.removeprefix("+"), trunk.number_format)
    if number is None:
        where = f"agents.{agent.id}.number"
        raise PlanError(where, "a number is digits, maybe with a leading plus")
    return number
