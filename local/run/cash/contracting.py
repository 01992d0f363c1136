"""A contract goes out for two signatures; its notices come twice and in disorder; the deal is won (Q3 to Q5)."""

from __future__ import annotations

from typing import Any

from local.run.cash.deal import DealPages, require
from local.run.cash.people import WON, Sellers
from local.run.cash.signing import LABELS, DocuSign, Notices
from local.run.screen import Screen
from local.run.waiting import until
from shared import wiring
from shared.domain.cash.money import Money

TOLD_WITHIN_S = 60.0


def send_and_sign(sellers: Sellers, deal: DealPages, docusign: DocuSign, screen: Screen) -> None:
    """Raises: NotSeenError, RefusedError."""
    signer, countersigner = sellers.signer, sellers.countersigner
    contract = _send(sellers, deal, docusign)
    envelope_id = str(contract["envelope_id"])
    screen.done(
        f"{contract['number']} is out: first {signer.name}, then {countersigner.name}", f"envelope {envelope_id}"
    )
    docusign.sign(envelope_id, signer.emails[0])
    deal.wait(lambda: deal.contract()["status"] == "partially_signed", "a partially signed contract")
    require(deal.chain()["deal"]["stage"] != WON, "a deal that is open while one signature is missing")
    screen.done(f"{signer.name} signs on DocuSign's page", "partially signed; the deal is still open")
    docusign.sign(envelope_id, countersigner.email)
    deal.wait(lambda: deal.chain()["deal"]["stage"] == WON, "a deal that is won")
    screen.done(f"{countersigner.name} signs for us: Closed Won", "by the second signature")
    told = _all_told(docusign, envelope_id)
    chain = deal.chain()
    require(chain["refused_moves"] == 0, "a contract that no notice contradicts")
    require(deal.steps().count("contract.signed") == 1, "one full signature, however often it was told")
    screen.done(
        f"DocuSign told {told.distinct} events in {told.delivered} posts, {told.late} after later ones",
        f"{deal.steps().count('contract.signed_by')} signatures, one contract signed",
    )
    _stored(sellers, deal)
    signed = {one["name"]: one["signed_at"] for one in deal.contract()["signer_states"] if one["signed_at"]}
    require(list(signed) == [signer.name, countersigner.name], "who signed and when, on the contract")
    screen.done(
        "Signed PDF and certificate are kept in our own bucket",
        "; ".join(f"{name} signed at {at[11:19]} UTC" for name, at in signed.items()),
    )


def _send(sellers: Sellers, deal: DealPages, docusign: DocuSign) -> dict[str, Any]:
    sale, product = sellers.sale, sellers.seller.product
    asked = {"quote": deal.quote()["quote_id"], "type": sale.contract_type["id"]}
    contract_id = str(product.post("contract_write", asked, key=f"contract-{sale.deal_id}")["contract"]["contract_id"])
    readiness = product.get("contract_send", contract=contract_id)["readiness"]
    require(not readiness["problems"], f"a contract that can be sent ({readiness['problems']})")
    docusign.misbehave()
    contract = dict(product.post("contract_send", contract=contract_id)["contract"])
    require(contract["status"] == "sent", "a contract that is out")
    envelopes = docusign.envelopes_for(sellers.signer.emails[0])
    require([one["envelopeId"] for one in envelopes] == [contract["envelope_id"]], "one envelope at DocuSign")
    first, second = envelopes[0]["recipients"]["signers"]
    require(
        (first["email"], second["email"]) == (sellers.signer.emails[0], sellers.countersigner.email), "both signers"
    )
    wanted = {
        "company.name": sellers.company_name,
        "contact.name": sellers.buyer.name,
        "deal.name": sale.deal_name,
        "quote.total": str(Money(sale.expected_total_minor, sale.quote["currency"])),
    }
    require(first["filled_in"] == {label: wanted[name] for label, name in LABELS.items()}, "fields that are filled in")
    return contract


def _all_told(docusign: DocuSign, envelope_id: str) -> Notices:
    """Raises: NotSeenError, also where no notice came twice or late: then nothing was proven."""
    told = until(
        lambda: docusign.notices(envelope_id), "the last of DocuSign's notices", within_s=TOLD_WITHIN_S, every_s=0.1
    )
    require(told.delivered > told.distinct and told.late > 0, "notices that come twice and in disorder")
    return told


def _stored(sellers: Sellers, deal: DealPages) -> None:
    deal.wait_for_step("contract.stored")
    contract = deal.contract()
    blobs = wiring.blobs(sellers.sale.tenant)
    for name in ("document_blob", "certificate_blob"):
        content = blobs.get(contract[name])
        require(content.startswith(b"%PDF-"), f"a PDF as {name}")
