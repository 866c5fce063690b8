"""When jobs are due: pure arithmetic over calendars and time zones. Knows no store, no worker and not what time it is."""
