"""What an administrator enters to connect NetSuite, and what of it is shown again (Q10)."""

from __future__ import annotations

import pytest

from shared.errors import InputError
from shared.providers.netsuite.keys import Keys, entered, settings_of
from tests.providers.netsuite.world import World

FORM = {
    "way": "oauth1_tokens",
    "account_id": "9876543-sb1",
    "consumer_key": "ck",
    "consumer_secret": "hush",
    "token_id": "tid",
    "token_secret": "hush too",
    "company_name": "Harbor",
    "currency": "USD",
    "time_zone": "America/New_York",
}
ISSUED = {"issued_on": "2026-11-02", "issued_by": "integration@harbor.example", "issued_role": "Throughline"}


def test_five_values_make_a_token_and_a_missing_one_is_named() -> None:
    assert entered(FORM).account_id == "9876543_SB1"
    with pytest.raises(InputError, match="Token secret"):
        entered({**FORM, "token_secret": ""})


def test_when_a_token_was_issued_by_whom_and_for_which_role_is_shown_and_no_secret(world: World) -> None:
    keys = Keys.opened(entered({**FORM, **ISSUED}).sealed())
    company = world.ledger(access=settings_of(keys).access).company()
    assert company.access == {
        "way": "oauth1_tokens",
        "issued_on": "2026-11-02",
        "user": "integration@harbor.example",
        "role": "Throughline",
    }
    assert "hush" not in repr(company)


def test_what_nobody_entered_about_the_keys_is_left_out() -> None:
    assert settings_of(entered(FORM)).access == {"way": "oauth1_tokens"}


def test_a_day_of_issue_that_is_no_day_is_refused() -> None:
    with pytest.raises(InputError, match="2026-12-31"):
        entered({**FORM, "issued_on": "last week"})
