"""Alerts: raised once, cleared once, bounded, and seen on the board and in the log."""

from structlog.testing import capture_logs

from perezvon.core.ids import Instant
from perezvon.runtime.alerts import NOTE_MS, OPEN_MAX, AlertKind, Alerts
from perezvon.runtime.board import board
from tests.core.office import Office, office_plan


class Time:
    now: Instant = 1_000

    def __call__(self) -> Instant:
        return self.now


def test_an_alert_that_is_seen_again_and_again_is_told_once() -> None:
    alerts = Alerts(Time())
    with capture_logs() as logs:
        for _ in range(3):
            alerts.raise_(AlertKind.TRUNK_DOWN, "carrier", "503")
        alerts.clear(AlertKind.TRUNK_DOWN, "carrier")
        alerts.clear(AlertKind.TRUNK_DOWN, "carrier")
    assert [line["event"] for line in logs] == ["alert_raised", "alert_cleared"]
    assert alerts.raised_count[AlertKind.TRUNK_DOWN] == 1
    assert not list(alerts)


def test_alerts_of_a_kind_are_apart_by_what_they_are_about() -> None:
    alerts = Alerts(Time())
    alerts.raise_(AlertKind.PHONE_AWAY, "anna")
    alerts.raise_(AlertKind.PHONE_AWAY, "boris")
    alerts.clear(AlertKind.PHONE_AWAY, "anna")
    assert [alert.about for alert in alerts] == ["boris"]


def test_what_only_happened_clears_itself_and_what_lasts_does_not() -> None:
    time = Time()
    alerts = Alerts(time)
    alerts.note(AlertKind.STRAY_LEG, "leg")
    alerts.note(AlertKind.SWITCH_RESTARTED)
    alerts.raise_(AlertKind.SWITCH_RESTARTED)
    time.now += NOTE_MS
    assert [alert.kind for alert in alerts] == [AlertKind.SWITCH_RESTARTED]


def test_beyond_the_limit_an_alert_is_logged_and_counted_only() -> None:
    alerts = Alerts(Time())
    with capture_logs() as logs:
        for number in range(OPEN_MAX + 5):
            alerts.note(AlertKind.STRAY_LEG, f"leg-{number}")
    assert len(list(alerts)) == OPEN_MAX
    assert len(logs) == alerts.raised_count[AlertKind.STRAY_LEG] == OPEN_MAX + 5


def test_the_board_shows_what_is_open() -> None:
    alerts = Alerts(Time())
    alerts.raise_(AlertKind.TRUNK_DOWN, "carrier", "503")
    shown = board(Office(office_plan()).engine, 0, alerts=alerts)
    assert shown.sections["alerts"] == {
        "trunk_down/carrier": {
            "kind": "trunk_down",
            "about": "carrier",
            "since_at": 1_000,
            "detail": "503",
        }
    }
