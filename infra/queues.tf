# One queue per function with trigger `task`. Rates come from the vendors' quotas and stand in function.yaml; the defaults
# are the ones of the laptop cloud (local/cloud/manifests.py), held together by a test.

locals {
  usual_queue = { rate_per_s = 50, concurrent = 20, min_backoff_s = 1, max_backoff_s = 600, max_attempts = -1 }
}

resource "google_cloud_tasks_queue" "of" {
  for_each = local.queues

  name     = each.key
  location = var.region

  rate_limits {
    max_dispatches_per_second = try(local.manifests[each.value].queue_settings.rate_per_s, local.usual_queue.rate_per_s)
    max_concurrent_dispatches = try(local.manifests[each.value].queue_settings.concurrent, local.usual_queue.concurrent)
  }

  retry_config {
    # A queue never gives up by itself: the function parks what was tried often enough, where somebody sees it.
    max_attempts = try(local.manifests[each.value].queue_settings.max_attempts, local.usual_queue.max_attempts)
    min_backoff  = "${try(local.manifests[each.value].queue_settings.min_backoff_s, local.usual_queue.min_backoff_s)}s"
    max_backoff  = "${try(local.manifests[each.value].queue_settings.max_backoff_s, local.usual_queue.max_backoff_s)}s"
  }

  depends_on = [google_project_service.used]
}
