"""Calendars: what one calendar says about an event, and the organization's meetings built from it."""
