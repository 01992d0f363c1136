"""The page after consent: what is connected, and what happens now. It needs no sign-in and tells nothing of anybody."""

from __future__ import annotations

from html import escape

from flask import Response

from shared.providers.connecting import Connected
from shared.web_page import page

_OWN = (
    "From this moment on, new mail and meetings are noticed within seconds.",
    "Your past mail is read now, the newest first. The last days are there in minutes; a large mailbox takes hours.",
    "Only mail with your contacts is kept. Other mail is not stored, and its text is never fetched.",
)
_ORGANIZATION = (
    "What your organization has there is looked up now; this takes a few minutes at most.",
    "Then the set-up page asks for the choices that are left.",
    "Nothing is sent or written there before they are made.",
)


def connected_page(connected: Connected) -> Response:
    whose = "Your account is" if connected.own else "Your organization is"
    title = f"{connected.name}: connected"
    steps = "".join(f"<li>{escape(step)}</li>" for step in (_OWN if connected.own else _ORGANIZATION))
    content = (
        f"<h1>{escape(whose)} connected with {escape(connected.name)}</h1><h2>What happens now</h2><ol>{steps}</ol>"
        '<p class="soft">How far it is, and how to pause or disconnect, is on the connection page. '
        "You may close this one.</p>"
    )
    return page(title, content)
