# What every function finds in its environment. shared/wiring.py is the only reader; a test compares the two.
#
# Beside these, a function gets <SECRET>=<file> for each secret its function.yaml names: google-oauth-client becomes
# GOOGLE_OAUTH_CLIENT. The laptop's variables (emulators, key file, API roots) are never set here.

locals {
  functions_base_url = "https://${var.region}-${var.project_id}.cloudfunctions.net"

  function_environment = {
    GOOGLE_CLOUD_PROJECT         = var.project_id
    FUNCTIONS_BASE_URL           = local.functions_base_url
    PUBLIC_BASE_URL              = coalesce(var.public_base_url, local.functions_base_url)
    WEB_URL                      = coalesce(var.web_url, local.functions_base_url)
    TASKS_LOCATION               = var.region
    OIDC_CALLER                  = google_service_account.caller.email
    OIDC_CERTS_URL               = "https://www.googleapis.com/oauth2/v1/certs"
    IDENTITY_CERTS_URL           = "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
    IDENTITY_PROJECT             = var.project_id
    BLOBS_URL                    = "gs://${google_storage_bucket.used["content"].name}"
    KMS_KEY                      = google_kms_crypto_key.used["tenants"].id
    GMAIL_QUOTA_UNITS_PER_MINUTE = tostring(var.gmail_quota_units_per_minute)
    NETSUITE_CALLS_AT_ONCE       = tostring(var.netsuite_calls_at_once)
  }
}
