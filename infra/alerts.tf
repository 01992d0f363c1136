# Who is told of what. Each alert has its section in docs/operations.md, under the same title: what it means, what to look
# at, and the command that mends it.

locals {
  # Alerts that fire when a counted log line (log_metrics.tf) shows up more than `above` times within the period.
  log_alerts = {
    quarantine          = { title = "Quarantine", metrics = ["work-parked", "message-quarantined"], above = 0, period_s = 300 }
    watch-near-its-end  = { title = "Watch near its end", metrics = ["watch-near-its-end"], above = 0, period_s = 3600 }
    receipt-imbalance   = { title = "Receipt imbalance", metrics = ["receipts-missing"], above = 0, period_s = 3600 }
    refresh-failures    = { title = "Refresh failures", metrics = ["connection-broken"], above = 0, period_s = 300 }
    invoice-intents-old = { title = "Invoice intents older than 15 minutes", metrics = ["invoice-intents-old"], above = 0, period_s = 300 }
    outbox-overdue      = { title = "Outbox promises overdue", metrics = ["promises-overdue"], above = 5, period_s = 900 }
    push-path-broken    = { title = "Push path broken", metrics = ["push-path-broken"], above = 0, period_s = 900 }
    unforeseen-failures = { title = "Unforeseen failures", metrics = ["function-failed"], above = 5, period_s = 300 }
  }

  channels = [for channel in google_monitoring_notification_channel.mail : channel.id]

  where_to_read = "docs/operations.md, section"
}

resource "google_monitoring_notification_channel" "mail" {
  for_each = var.alert_emails

  display_name = "Mail to ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "logs" {
  for_each = local.log_alerts

  display_name          = each.value.title
  combiner              = "OR"
  enabled               = var.alerts
  notification_channels = local.channels

  dynamic "conditions" {
    for_each = each.value.metrics
    content {
      display_name = local.log_metrics[conditions.value].description

      condition_threshold {
        filter          = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.of[conditions.value].name}\""
        comparison      = "COMPARISON_GT"
        threshold_value = each.value.above
        duration        = "0s"

        aggregations {
          alignment_period     = "${each.value.period_s}s"
          per_series_aligner   = "ALIGN_SUM"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  # Most are about work that a person has to finish: they do not close by themselves within the day.
  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = "${local.where_to_read} \"${each.value.title}\"."
    mime_type = "text/markdown"
  }

  lifecycle {
    precondition {
      condition     = !var.alerts || length(var.alert_emails) > 0
      error_message = "Alerts are on in ${var.environment}, and nobody would be told: set alert_emails."
    }
  }
}

# "Again" (503) is how functions speak to queues, so a few of them are health; many are a provider or a store in trouble.
resource "google_monitoring_alert_policy" "answers" {
  display_name          = "Error rate"
  combiner              = "OR"
  enabled               = var.alerts
  notification_channels = local.channels

  conditions {
    display_name = "One answer in ten, for ten minutes, was an error of ours"

    condition_threshold {
      filter             = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
      denominator_filter = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/request_count\""
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.1
      duration           = "600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.service_name"]
      }
      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.service_name"]
      }
    }
  }

  documentation {
    content   = "${local.where_to_read} \"Error rate\"."
    mime_type = "text/markdown"
  }
}

# Vendors give a webhook three seconds (Intuit, Zoom, Slack); a person waits no longer.
resource "google_monitoring_alert_policy" "latency" {
  display_name          = "Latency"
  combiner              = "OR"
  enabled               = var.alerts
  notification_channels = local.channels

  conditions {
    display_name = "One answer in twenty of a public function took over three seconds, for fifteen minutes"

    condition_threshold {
      filter          = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/request_latencies\" AND resource.labels.service_name=one_of(${join(",", [for name in local.quick : "\"${local.cloud_names[name]}\""])})"
      comparison      = "COMPARISON_GT"
      threshold_value = 3000
      duration        = "900s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_PERCENTILE_95"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.labels.service_name"]
      }
    }
  }

  documentation {
    content   = "${local.where_to_read} \"Latency\"."
    mime_type = "text/markdown"
  }
}

locals {
  # What somebody waits for: public, and not given minutes by its own function.yaml.
  quick = [for name, manifest in local.manifests : name if manifest.public && manifest.timeout_s <= 60]
}

resource "google_monitoring_alert_policy" "dead_letters" {
  display_name          = "Dead letters"
  combiner              = "OR"
  enabled               = var.alerts
  notification_channels = local.channels

  conditions {
    display_name = "Pub/Sub gave a message up"

    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/dead_letter_message_count\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.subscription_id"]
      }
    }
  }

  conditions {
    display_name = "A dead letter could not be parked for an hour"

    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.labels.subscription_id=one_of(${join(",", [for function, topic in local.push_topics : "\"${local.cloud_names[function]}\"" if topic == local.dead_letter_topic])})"
      comparison      = "COMPARISON_GT"
      threshold_value = 3600
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content   = "${local.where_to_read} \"Dead letters\"."
    mime_type = "text/markdown"
  }
}
