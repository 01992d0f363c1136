# One function: its bundle, its image, its own account, and what that account may touch and no more.

terraform {
  required_providers {
    google = {
      source = "hashicorp/google"
    }
  }
}

locals {
  cloud_name = replace(var.name, "_", "-")
  uses       = { for kind in ["queues", "topics", "secrets", "buckets", "keys"] : kind => toset(try(var.manifest.uses[kind], [])) }
  topics     = setunion(local.uses.topics, var.manifest.publishes)

  # An account's id has 30 characters at most; a longer name keeps its beginning and a mark of the rest.
  account_name = "fn-${local.cloud_name}"
  account_id   = length(local.account_name) <= 30 ? local.account_name : "${trimsuffix(substr(local.account_name, 0, 23), "-")}-${substr(sha1(var.name), 0, 6)}"

  # As many instances as the queue ever keeps busy, one more for a deploy; callers of the others are people and vendors.
  concurrent    = try(var.manifest.queue_settings.concurrent, 20)
  max_instances = { task = ceil(local.concurrent / var.manifest.concurrency) + 1, schedule = 2, push = 20, http = 20 }[var.manifest.trigger]
}

resource "google_storage_bucket_object" "bundle" {
  bucket = var.bundles_bucket
  name   = "${var.name}/${filesha256(var.bundle)}.zip" # the same content is the same object: nothing is deployed twice
  source = var.bundle
}

resource "google_service_account" "own" {
  account_id   = local.account_id
  display_name = "Function ${var.name}"
}

resource "google_cloudfunctions2_function" "this" {
  #checkov:skip=CKV_GCP_124: the door is IAM; whether our own queues count as internal at this address is not documented
  name     = var.name
  location = var.region
  labels   = { owner = var.manifest.owner, trigger = var.manifest.trigger }

  build_config {
    runtime           = "python313"
    entry_point       = var.name
    docker_repository = var.images
    service_account   = var.builder

    source {
      storage_source {
        bucket = google_storage_bucket_object.bundle.bucket
        object = google_storage_bucket_object.bundle.name
      }
    }

    automatic_update_policy {} # security updates of the base image come by themselves
  }

  service_config {
    service_account_email            = google_service_account.own.email
    available_cpu                    = "1" # less than one serves one request at a time
    available_memory                 = var.manifest.memory
    timeout_seconds                  = var.manifest.timeout_s
    max_instance_request_concurrency = var.manifest.concurrency
    min_instance_count               = var.keeps_warm ? var.manifest.min_instances : 0
    max_instance_count               = local.max_instances
    all_traffic_on_latest_revision   = true

    # The door is IAM, below: whether Pub/Sub, Cloud Tasks and Cloud Scheduler count as internal at this address is not
    # documented, and a closed network door would silence all three.
    ingress_settings = "ALLOW_ALL"

    environment_variables = merge(
      var.environment_variables,
      { for secret in local.uses.secrets : upper(replace(secret, "-", "_")) => "/secrets/${secret}/value" },
    )

    dynamic "secret_volumes" {
      for_each = local.uses.secrets
      content {
        mount_path = "/secrets/${secret_volumes.value}"
        project_id = var.project_id
        secret     = secret_volumes.value
        versions {
          path    = "value"
          version = "latest"
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = !var.manifest.public || var.manifest.trigger == "http"
      error_message = "functions/${var.name}/function.yaml: only a function with trigger http can be public; Google alone calls the others."
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.reads] # a secret that cannot be read stops the instance
}

# ------------------------------------------------------------------------------------------------------ who may call it

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  name     = local.cloud_name # of the service behind the function
  location = var.region
  role     = "roles/run.invoker"
  member   = var.manifest.public ? "allUsers" : var.caller.member

  depends_on = [google_cloudfunctions2_function.this]
}

# ---------------------------------------------------------------------------------------------------- what it may touch

# Every function reads and writes documents, if only what it parks. Firestore's roles know nothing smaller than the
# database, and the project has one.
resource "google_project_iam_member" "documents" {
  project = var.project_id
  role    = "roles/datastore.user"
  member  = google_service_account.own.member
}

resource "google_cloud_tasks_queue_iam_member" "enqueues" {
  for_each = local.uses.queues

  name     = each.key
  location = var.region
  role     = "roles/cloudtasks.enqueuer"
  member   = google_service_account.own.member
}

# A task carries the caller's token, so whoever makes one acts as the caller.
resource "google_service_account_iam_member" "speaks_for_caller" {
  count = length(local.uses.queues) > 0 ? 1 : 0

  service_account_id = var.caller.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.own.member
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = local.topics

  topic  = each.key
  role   = "roles/pubsub.publisher"
  member = google_service_account.own.member
}

# Whoever sends messages down a path may look whether its end is still there.
resource "google_pubsub_subscription_iam_member" "looks_at_the_end" {
  for_each = toset(flatten([for topic in local.topics : lookup(var.subscriptions, topic, [])]))

  subscription = each.key
  role         = "roles/pubsub.viewer"
  member       = google_service_account.own.member
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = local.uses.secrets

  secret_id = each.key
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.own.member
}

resource "google_storage_bucket_iam_member" "keeps_blobs" {
  for_each = local.uses.buckets

  bucket = var.buckets[each.key]
  role   = "roles/storage.objectUser"
  member = google_service_account.own.member
}

resource "google_kms_crypto_key_iam_member" "wraps" {
  for_each = local.uses.keys

  crypto_key_id = var.keys[each.key]
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = google_service_account.own.member
}
