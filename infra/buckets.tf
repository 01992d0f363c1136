resource "google_storage_bucket" "used" {
  #checkov:skip=CKV_GCP_62: who reads and writes is in the audit log (services.tf), which names the account
  #checkov:skip=CKV_GCP_63: there is no log bucket, and so none that logs to itself
  #checkov:skip=CKV_GCP_78: older versions would keep what a person asked to have erased
  for_each = local.used.buckets

  name                        = "${var.project_id}-${each.key}"
  location                    = upper(var.region)
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.keeps_data

  # What is deleted by mistake can be brought back as long as the database can be taken back. Older versions are not
  # kept: a person's erased mail must be gone.
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  lifecycle_rule {
    condition {
      age = 1
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  # Bodies are read while a conversation is fresh; afterwards they cost less and answer as quickly.
  lifecycle_rule {
    condition {
      age                   = 90
      matches_storage_class = ["STANDARD"]
    }
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
  }

  depends_on = [google_project_service.used]
}

# What the functions are built from; every version that was deployed in the last months, to go back to.
resource "google_storage_bucket" "bundles" {
  #checkov:skip=CKV_GCP_62: who reads and writes is in the audit log (services.tf), which names the account
  #checkov:skip=CKV_GCP_63: there is no log bucket, and so none that logs to itself
  name                        = "${var.project_id}-bundles"
  location                    = upper(var.region)
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 90
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.used]
}
