"""What each Gmail call costs: one table for the product's budget and for the simulator's quota.

The quota itself is configuration (`quota_units_per_minute`), because it differs between projects; 6,000 units per
minute, user and project is what new projects get.

Source:
    developers.google.com/gmail/api/reference/quota, "Per-method quota usage", as in force since May 2026. Older figures
    (messages.get 5, threads.get 10, 15,000 units a minute) are still quoted in many places.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEFAULT_QUOTA_UNITS_PER_MINUTE = 6_000

GMAIL_UNITS: Mapping[str, int] = MappingProxyType(
    {
        "gmail.users.getProfile": 1,
        "gmail.users.watch": 100,
        "gmail.users.stop": 50,
        "gmail.users.history.list": 2,
        "gmail.users.labels.list": 1,
        "gmail.users.labels.get": 1,
        "gmail.users.labels.create": 5,
        "gmail.users.labels.update": 5,
        "gmail.users.labels.delete": 5,
        "gmail.users.messages.list": 5,
        "gmail.users.messages.get": 20,
        "gmail.users.messages.attachments.get": 20,
        "gmail.users.messages.modify": 5,
        "gmail.users.messages.batchModify": 50,
        "gmail.users.messages.trash": 20,
        "gmail.users.messages.untrash": 5,
        "gmail.users.messages.delete": 10,
        "gmail.users.messages.batchDelete": 50,
        "gmail.users.messages.insert": 25,
        "gmail.users.messages.import": 25,
        "gmail.users.messages.send": 100,
        "gmail.users.threads.get": 40,
        "gmail.users.threads.list": 10,
        "gmail.users.threads.modify": 10,
        "gmail.users.threads.trash": 20,
        "gmail.users.threads.delete": 20,
        "gmail.users.drafts.get": 20,
        "gmail.users.drafts.list": 5,
        "gmail.users.drafts.create": 10,
        "gmail.users.drafts.update": 15,
        "gmail.users.drafts.delete": 10,
        "gmail.users.drafts.send": 100,
        "gmail.users.settings.sendAs.list": 1,
        "gmail.users.settings.sendAs.create": 100,
        "gmail.users.settings.sendAs.update": 100,
        "gmail.users.settings.sendAs.verify": 100,
    }
)
"""Units per call, keyed by the method id of Google's discovery document.

`settings.sendAs.list` is not in the published excerpt; 1 is what other settings reads cost.
"""
