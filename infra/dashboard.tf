# One page: is mail coming in, is work piling up, does anything fail, what does it cost in calls.

locals {
  panels = [
    { title = "Messages on timelines, per minute", filter = "resource.type=\"cloud_run_revision\" metric.type=\"logging.googleapis.com/user/throughline/message-logged\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = [] },
    { title = "Requests by function", filter = "resource.type=\"cloud_run_revision\" metric.type=\"run.googleapis.com/request_count\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["resource.label.service_name"] },
    { title = "Errors by function", filter = "resource.type=\"cloud_run_revision\" metric.type=\"run.googleapis.com/request_count\" metric.label.response_code_class=\"5xx\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["resource.label.service_name"] },
    { title = "Time to answer, 95 of 100", filter = "resource.type=\"cloud_run_revision\" metric.type=\"run.googleapis.com/request_latencies\"", aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", by = ["resource.label.service_name"] },
    { title = "Tasks waiting, by queue", filter = "resource.type=\"cloud_tasks_queue\" metric.type=\"cloudtasks.googleapis.com/queue/depth\"", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", by = ["resource.label.queue_id"] },
    { title = "Tasks tried, by answer", filter = "resource.type=\"cloud_tasks_queue\" metric.type=\"cloudtasks.googleapis.com/queue/task_attempt_count\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["metric.label.response_code"] },
    { title = "Oldest message not yet taken, by subscription", filter = "resource.type=\"pubsub_subscription\" metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\"", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", by = ["resource.label.subscription_id"] },
    { title = "Parked", filter = "resource.type=\"cloud_run_revision\" metric.type=\"logging.googleapis.com/user/throughline/work-parked\"", aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", by = [] },
    { title = "Refused for want of proof, by function", filter = "resource.type=\"cloud_run_revision\" metric.type=\"logging.googleapis.com/user/throughline/proof-refused\"", aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", by = ["resource.label.service_name"] },
    { title = "Documents read", filter = "resource.type=\"firestore.googleapis.com/Database\" metric.type=\"firestore.googleapis.com/document/read_ops_count\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = [] },
    { title = "Documents written", filter = "resource.type=\"firestore.googleapis.com/Database\" metric.type=\"firestore.googleapis.com/document/write_ops_count\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = [] },
    { title = "Instances", filter = "resource.type=\"cloud_run_revision\" metric.type=\"run.googleapis.com/container/instance_count\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = ["resource.label.service_name"] },
  ]
}

resource "google_monitoring_dashboard" "main" {
  dashboard_json = jsonencode({
    displayName = "Throughline"
    mosaicLayout = {
      columns = 12
      tiles = [for place, panel in local.panels : {
        xPos   = 4 * (place % 3)
        yPos   = 4 * floor(place / 3)
        width  = 4
        height = 4
        widget = {
          title = panel.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = panel.filter
                  aggregation = {
                    alignmentPeriod    = "60s"
                    perSeriesAligner   = panel.aligner
                    crossSeriesReducer = panel.reducer
                    groupByFields      = panel.by
                  }
                }
              }
            }]
          }
        }
      }]
    }
  })

  depends_on = [google_logging_metric.of]
}
