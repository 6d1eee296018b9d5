"""What is made of what the switch says of telephones and trunks."""

from perezvon.asterisk.devices import UNREGISTERED_MS, Devices
from perezvon.asterisk.lifesigns import read_registrations
from perezvon.core.events import DeviceChanged, TrunkChanged
from perezvon.core.ids import AgentId, TrunkId
from perezvon.core.plan import DeviceKind, Trunk
from perezvon.runtime.alerts import AlertKind, Alerts

CITY, DESK = TrunkId("city"), TrunkId("desk")
ANNA = AgentId("anna")

REGISTRATIONS = """
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 trunk-city/sip:sip.example:5060                         trunk-city                Registered        (exp. 32s)
 trunk-Stopped/sip:Registered.example:5060               trunk-Stopped             Rejected          (exp. 8s)
 trunk-a-name-so-long-that-no-column-holds-it-and-its-address/sip:x:1 y            Unregistered

Objects found: 3
"""  # noqa: E501 - as the switch prints it

PHONES = {"anna": (ANNA, None), "anna~webrtc": (ANNA, DeviceKind.WEBRTC)}


def devices() -> tuple[Devices, Alerts]:
    alerts = Alerts(lambda: 0)
    made = Devices(alerts)
    made.learn(
        PHONES, [Trunk(CITY, "sip.example", register=True), Trunk(DESK, "127.0.0.1", port=5070)]
    )
    return made, alerts


def open_alerts(alerts: Alerts) -> list[tuple[AlertKind, str]]:
    return [(one.kind, one.about) for one in alerts]


def test_registrations_are_read_line_by_line() -> None:
    assert list(read_registrations(REGISTRATIONS)) == [
        ("trunk-city", "Registered"),
        ("trunk-Stopped", "Rejected"),
        ("trunk-a-name-so-long-that-no-column-holds-it-and-its-address", "Unregistered"),
    ]
    assert not list(read_registrations("No such command 'pjsip show registrations'"))


def test_a_registration_on_its_way_is_no_alert_until_it_takes_too_long() -> None:
    made, alerts = devices()
    assert made.registration("trunk-city", "Unregistered", 0) == []
    assert made.registration("trunk-city", "Unregistered", UNREGISTERED_MS - 1) == []
    assert not open_alerts(alerts)
    assert made.registration("trunk-city", "Unregistered", UNREGISTERED_MS) == [
        TrunkChanged(CITY, up=False)
    ]
    assert open_alerts(alerts) == [(AlertKind.REGISTRATION_LOST, CITY)]
    assert made.registration("trunk-city", "Registered", UNREGISTERED_MS) == [
        TrunkChanged(CITY, up=True)
    ]
    assert not open_alerts(alerts)


def test_a_trunk_is_up_only_when_it_answers_and_is_registered() -> None:
    made, alerts = devices()
    assert made.endpoint("trunk-city", reachable=True) == [TrunkChanged(CITY, up=True)]
    assert made.registration("trunk-city", "Rejected", 0) == [TrunkChanged(CITY, up=False)]
    assert made.endpoint("trunk-city", reachable=False) == []
    assert made.registration("trunk-city", "Registered", 1) == []
    assert made.endpoint("trunk-city", reachable=True) == [TrunkChanged(CITY, up=True)]
    assert not open_alerts(alerts)


def test_a_trunk_without_registration_is_told_of_by_another_name() -> None:
    made, alerts = devices()
    made.endpoint("trunk-desk", reachable=False)
    assert open_alerts(alerts) == [(AlertKind.TRUNK_DOWN, DESK)]
    # It has left the plan: nobody waits for it.
    made.learn(PHONES, [])
    assert not open_alerts(alerts)


def test_a_carrier_that_refused_us_and_was_silent_is_told_of_once_when_it_answers_again() -> None:
    made, _ = devices()
    made.endpoint("trunk-city", reachable=False)
    made.endpoint("trunk-city", reachable=True)
    assert made.take_returned() == []
    made.registration("trunk-city", "Rejected", 0)
    made.endpoint("trunk-city", reachable=False)
    made.endpoint("trunk-city", reachable=True)
    assert made.take_returned() == ["trunk-city"]
    assert made.take_returned() == []


def test_only_what_is_new_is_told() -> None:
    made, _ = devices()
    assert made.endpoint("anna", reachable=True) == [DeviceChanged(ANNA, reachable=True)]
    assert made.endpoint("anna", reachable=True) == []
    assert made.endpoint("nobody", reachable=False) == []
    assert made.changes([{"resource": "anna", "state": "offline"}, None, {"state": 5}]) == [
        DeviceChanged(ANNA, reachable=False)
    ]
