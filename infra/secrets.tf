# Secrets without their values, which never pass through Terraform or its state: a person adds a version by hand
# (docs/deploying.md). Each lies in a file that only the functions which name it can read.

resource "google_secret_manager_secret" "used" {
  for_each = local.used.secrets

  secret_id = each.key

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  # A version that was taken out of use can be brought back for a week.
  version_destroy_ttl = "604800s"

  depends_on = [google_project_service.used]
}

resource "google_kms_key_ring" "main" {
  name     = "throughline"
  location = var.region

  depends_on = [google_project_service.used]
}

# Wraps the tenants' data keys. Older versions go on unwrapping; `make ops` wraps anew what should not need them.
resource "google_kms_crypto_key" "used" {
  for_each = local.used.keys

  name            = each.key
  key_ring        = google_kms_key_ring.main.id
  purpose         = "ENCRYPT_DECRYPT"
  rotation_period = "7776000s" # 90 days

  # A version that is destroyed by mistake can be brought back for a month; without it nobody's tokens open again.
  destroy_scheduled_duration = "2592000s"

  lifecycle {
    prevent_destroy = true
  }
}
