# One job per function with trigger `schedule`.

locals {
  usual_job = { retries = 0, min_backoff_s = 5, max_backoff_s = 3600 }
}

resource "google_cloud_scheduler_job" "of" {
  for_each = local.by_trigger.schedule

  name      = local.cloud_names[each.key]
  region    = var.region
  schedule  = local.manifests[each.key].schedule
  time_zone = "Etc/UTC"

  # As long as the function may take, within what Cloud Scheduler allows.
  attempt_deadline = "${min(max(local.manifests[each.key].timeout_s, 15), 1800)}s"

  retry_config {
    retry_count          = try(local.manifests[each.key].job_settings.retries, local.usual_job.retries)
    min_backoff_duration = "${try(local.manifests[each.key].job_settings.min_backoff_s, local.usual_job.min_backoff_s)}s"
    max_backoff_duration = "${try(local.manifests[each.key].job_settings.max_backoff_s, local.usual_job.max_backoff_s)}s"
  }

  http_target {
    http_method = "POST"
    uri         = "${local.functions_base_url}/${each.key}"
    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = "${local.functions_base_url}/${each.key}"
    }
  }

  depends_on = [module.function]
}
