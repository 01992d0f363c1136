# Accounts that are not a function's own. Each function's account is made in modules/function.

# Whose token tasks, pushes and jobs carry. It may invoke the functions that are not public, and nothing else.
resource "google_service_account" "caller" {
  account_id   = "caller"
  display_name = "Calls functions for Pub/Sub, Cloud Tasks and Cloud Scheduler"
  depends_on   = [google_project_service.used]
}

# Pub/Sub makes the caller's tokens itself.
resource "google_service_account_iam_member" "pubsub_speaks_for_caller" {
  service_account_id = google_service_account.caller.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

# Builds the images. The default account of builds may do far more.
resource "google_service_account" "builder" {
  account_id   = "builder"
  display_name = "Builds the functions' images"
  depends_on   = [google_project_service.used]
}

resource "google_project_iam_member" "builder_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}

# Cloud Functions copies what is uploaded into a bucket of its own, which it makes with the first function.
resource "google_project_iam_member" "builder_reads_sources" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.builder.member

  condition {
    title      = "only the copied sources"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}\")"
  }
}

resource "google_storage_bucket_iam_member" "builder_reads_bundles" {
  bucket = google_storage_bucket.bundles.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.builder.member
}

resource "google_artifact_registry_repository" "functions" {
  #checkov:skip=CKV_GCP_84: images hold our code and no customer's data; Google's own encryption is enough
  repository_id = "functions"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the functions, made from their bundles"

  # Cloud Run keeps what is served; the last ones are there to go back to.
  cleanup_policies {
    id     = "keep-the-last"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }
  cleanup_policies {
    id     = "delete-the-old"
    action = "DELETE"
    condition {
      older_than = "2592000s" # 30 days
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_artifact_registry_repository_iam_member" "builder_pushes" {
  repository = google_artifact_registry_repository.functions.name
  location   = google_artifact_registry_repository.functions.location
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}
