"""Calendars in: from a hint that a calendar changed to meetings on timelines."""
