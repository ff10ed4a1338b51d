"""Prints engine/src/schedule/firings.tsv: what another implementation says about the same cron expressions.

    python3 -m venv v && v/bin/pip install cronsim==2.8 tzdata
    v/bin/python scripts/firings.py > engine/src/schedule/firings.tsv

Each line: expression, time zone, start, the next six firings after it in UTC.
"""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from cronsim import CronSim

CASES = [
    # Plain fields.
    ("* * * * *", "UTC", "2026-01-31T23:58:30"),
    ("*/15 * * * *", "UTC", "2026-02-28T23:20:00"),
    ("7 3 * * *", "UTC", "2026-12-31T03:07:00"),
    ("0 9 * * 1-5", "Europe/Berlin", "2026-05-01T10:00:00"),
    ("0 9 * * MON-FRI", "America/New_York", "2026-05-01T10:00:00"),
    ("0 0 1 * *", "UTC", "2026-11-15T00:00:00"),
    ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00"),
    ("0 0 31 * *", "Asia/Tokyo", "2026-01-01T00:00:00"),
    ("0 12 * JAN,JUL SUN", "UTC", "2026-06-30T00:00:00"),
    ("5,35 8-18/2 * * *", "Asia/Kolkata", "2026-03-10T17:50:00"),
    ("0 0 * * 0", "UTC", "2026-01-01T00:00:00"),
    ("0 0 * * 7", "UTC", "2026-01-01T00:00:00"),
    ("30 4 1,15 * 5", "UTC", "2026-01-01T05:00:00"),
    ("59 23 31 12 *", "Pacific/Auckland", "2026-01-01T00:00:00"),
    ("*/7 * * * *", "UTC", "2026-01-01T00:50:00"),
    ("10-20/5 6 * * *", "Africa/Cairo", "2026-09-01T06:16:00"),
    ("0 22 * * 1-5", "Asia/Kathmandu", "2026-01-01T00:00:00"),
    ("0 */6 * * *", "Australia/Lord_Howe", "2026-06-01T01:00:00"),
    # The last day, the last and the nth weekday.
    ("0 0 L * *", "UTC", "2026-01-30T00:00:00"),
    ("0 18 L 2 *", "UTC", "2026-01-01T00:00:00"),
    ("0 9 * * 5L", "Europe/Paris", "2026-01-01T00:00:00"),
    ("0 9 * * 1L", "Europe/Paris", "2026-07-31T10:00:00"),
    ("0 9 * * 1#1", "UTC", "2026-01-01T00:00:00"),
    ("0 9 * * 3#5", "UTC", "2026-01-01T00:00:00"),
    ("30 7 * * 2#2,2#4", "America/Sao_Paulo", "2026-01-01T00:00:00"),
    ("15 10 * * MON#3", "America/Chicago", "2026-01-01T00:00:00"),
    # With seconds.
    ("* * * * * *", "UTC", "2026-01-01T23:59:57"),
    ("*/20 * * * * *", "UTC", "2026-01-01T00:00:10"),
    ("30 0 12 * * *", "Europe/London", "2026-01-01T00:00:00"),
    ("0,30 59 23 * * *", "UTC", "2026-12-31T23:59:00"),
    ("15 */10 * * * *", "UTC", "2026-01-01T00:39:00"),
    # Clocks go forward.
    ("30 2 * * *", "Europe/Berlin", "2026-03-27T03:00:00"),
    ("0 2 * * *", "America/New_York", "2026-03-06T12:00:00"),
    ("0 * * * *", "Europe/Berlin", "2026-03-29T00:30:00"),
    ("*/30 * * * *", "America/New_York", "2026-03-08T01:15:00"),
    ("15 2 29 3 *", "Europe/Berlin", "2025-06-01T00:00:00"),
    ("0 0 * * *", "Asia/Beirut", "2026-03-27T12:00:00"),
    ("*/15 * * * *", "Australia/Lord_Howe", "2026-10-04T01:40:00"),
    # Clocks go back.
    ("30 2 * * *", "Europe/Berlin", "2026-10-23T12:00:00"),
    ("30 1 * * *", "America/New_York", "2026-10-30T12:00:00"),
    ("0 * * * *", "Europe/Berlin", "2026-10-25T00:30:00"),
    ("*/30 * * * *", "America/New_York", "2026-11-01T00:45:00"),
    ("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T12:00:00"),
    ("0 3 * * *", "Europe/Berlin", "2026-10-23T12:00:00"),
    ("*/15 * * * *", "Australia/Lord_Howe", "2026-04-05T01:20:00"),
    ("59 23 * * *", "America/Santiago", "2026-04-02T12:00:00"),
]

for expression, zone, start in CASES:
    local = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    firings = CronSim(expression, local)
    utc = [next(firings).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") for _ in range(6)]
    begin = local.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    print(expression, zone, begin, *utc, sep="\t")
