# From outside, every five minutes: a request without proof must be refused, which takes the whole way in.

locals {
  watched = toset(["docusign_webhook", "timeline_read"]) # a vendor's way in, and people's
}

resource "google_monitoring_uptime_check_config" "of" {
  for_each = var.alerts ? local.watched : []

  display_name = "${each.key} refuses strangers"
  timeout      = "10s"
  period       = "300s"

  http_check {
    path           = "/${each.key}/"
    port           = 443
    use_ssl        = true
    validate_ssl   = true
    request_method = "GET"

    accepted_response_status_codes {
      status_value = 401
    }
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = trimprefix(coalesce(var.public_base_url, local.functions_base_url), "https://")
    }
  }

  depends_on = [module.function]
}

resource "google_monitoring_alert_policy" "uptime" {
  for_each = google_monitoring_uptime_check_config.of

  display_name          = "Uptime of ${each.key}"
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = "Two places in the world got no answer, or a wrong one"

    condition_threshold {
      filter          = "resource.type=\"uptime_url\" AND metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id=\"${each.value.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "300s"

      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.labels.host"]
      }
    }
  }

  documentation {
    content   = "${local.where_to_read} \"Uptime\"."
    mime_type = "text/markdown"
  }
}
