# Topics, and the push subscriptions of functions with trigger `push`. We own the subscriptions (no Eventarc trigger), so
# that the function sees the token and the number of the attempt.

locals {
  usual_push = { min_backoff_s = 10, max_backoff_s = 600, max_attempts = 100 }

  # The last stop has no further one: what it cannot park stays for a month and is pushed again and again.
  mortal_pushes = { for function, topic in local.push_topics : function => topic if topic != local.dead_letter_topic }
}

resource "google_pubsub_topic" "of" {
  #checkov:skip=CKV_GCP_83: messages are hints with ids and an address that Google wrote itself; nothing in them is sealed elsewhere
  for_each = local.topics

  name = each.key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.used]
}

# Gmail publishes under this account of Google's; nobody else may.
resource "google_pubsub_topic_iam_member" "gmail_publishes" {
  topic  = google_pubsub_topic.of["gmail-push"].name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:gmail-api-push@system.gserviceaccount.com"
}

resource "google_pubsub_subscription" "push" {
  for_each = local.push_topics

  name  = local.cloud_names[each.key]
  topic = google_pubsub_topic.of[each.value].id

  # Pub/Sub waits this long for the answer: as long as the function may take, within what Pub/Sub allows.
  ack_deadline_seconds       = min(max(local.manifests[each.key].timeout_s, 10), 600)
  message_retention_duration = each.value == local.dead_letter_topic ? "2678400s" : "604800s"

  expiration_policy {
    ttl = "" # never
  }

  retry_policy {
    minimum_backoff = "${try(local.manifests[each.key].push_settings.min_backoff_s, local.usual_push.min_backoff_s)}s"
    maximum_backoff = "${try(local.manifests[each.key].push_settings.max_backoff_s, local.usual_push.max_backoff_s)}s"
  }

  push_config {
    push_endpoint = "${local.functions_base_url}/${each.key}"
    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = "${local.functions_base_url}/${each.key}"
    }
  }

  dynamic "dead_letter_policy" {
    for_each = contains(keys(local.mortal_pushes), each.key) ? [1] : []
    content {
      dead_letter_topic     = google_pubsub_topic.of[local.dead_letter_topic].id
      max_delivery_attempts = try(local.manifests[each.key].push_settings.max_attempts, local.usual_push.max_attempts)
    }
  }
}

# Pub/Sub moves what it gave up by itself: it takes from the subscription and publishes to the dead-letter topic.
resource "google_pubsub_topic_iam_member" "dead_letters_arrive" {
  topic  = google_pubsub_topic.of[local.dead_letter_topic].name
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters_leave" {
  for_each = local.mortal_pushes

  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
