# One module call serves every function.

module "function" {
  source   = "./modules/function"
  for_each = local.manifests

  name       = each.key # one name everywhere; cloud names swap _ for -
  manifest   = each.value
  project_id = var.project_id
  region     = var.region

  bundle                = "${var.bundles}/${each.key}.zip"
  bundles_bucket        = google_storage_bucket.bundles.name
  images                = google_artifact_registry_repository.functions.id
  builder               = google_service_account.builder.id
  caller                = google_service_account.caller
  environment_variables = local.function_environment
  keeps_warm            = var.keeps_warm
  keys                  = { for name, key in google_kms_crypto_key.used : name => key.id }
  buckets               = { for name, bucket in google_storage_bucket.used : name => bucket.name }
  subscriptions         = { for function, topic in local.push_topics : topic => google_pubsub_subscription.push[function].name... }

  depends_on = [
    google_project_service.used,
    google_cloud_tasks_queue.of,
    google_pubsub_topic.of,
    google_secret_manager_secret.used,
    google_project_iam_member.builder_reads_sources,
    google_project_iam_member.builder_logs,
    google_artifact_registry_repository_iam_member.builder_pushes,
    google_storage_bucket_iam_member.builder_reads_bundles,
  ]
}
