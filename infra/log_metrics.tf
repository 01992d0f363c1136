# Counts of log lines. The names are what shared/log.py writes; a test finds each of them in the code.

locals {
  log_metrics = {
    work-parked = {
      description = "Something could not be handled and waits in quarantine"
      filter      = "jsonPayload.message=\"work.parked\" AND jsonPayload.parked:*"
    }
    message-quarantined = {
      description = "A message could not be read and waits in quarantine"
      filter      = "jsonPayload.message=\"message.quarantined\""
    }
    watch-near-its-end = {
      description = "A watch or channel ends soon and was not renewed"
      filter      = "jsonPayload.message=\"watch.near_its_end\""
    }
    receipts-missing = {
      description = "An audit found messages at the provider that no row accounts for"
      filter      = "jsonPayload.message=\"receipt.audited\" AND jsonPayload.missing>0"
    }
    connection-broken = {
      description = "A connection's tokens cannot be refreshed until a person acts"
      filter      = "jsonPayload.message=\"connection.broken\""
    }
    invoice-intents-old = {
      description = "An invoice that should have been made more than 15 minutes ago was not"
      filter      = "(jsonPayload.message=\"promise.overdue\" AND jsonPayload.function=\"invoice_push\" AND jsonPayload.rev>=4) OR (jsonPayload.message=\"ledger.read\" AND jsonPayload.stuck>0)"
    }
    promises-overdue = {
      description = "A promised task did not run and was queued again"
      filter      = "jsonPayload.message=\"promise.overdue\""
    }
    push-path-broken = {
      description = "The heartbeat through Gmail's path did not arrive, or its subscription is gone"
      filter      = "jsonPayload.message=\"push_path.broken\""
    }
    function-failed = {
      description = "A function met something nobody foresaw"
      filter      = "jsonPayload.message=\"function.failed\""
    }
    proof-refused = {
      description = "Somebody called without a valid proof"
      filter      = "jsonPayload.message=\"proof.refused\""
    }
    message-logged = {
      description = "A message reached a timeline"
      filter      = "jsonPayload.message=\"message.logged\""
    }
  }
}

resource "google_logging_metric" "of" {
  for_each = local.log_metrics

  name        = "throughline/${each.key}"
  description = each.value.description
  filter      = "resource.type=\"cloud_run_revision\" AND (${each.value.filter})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }

  depends_on = [google_project_service.used]
}
