output "functions_base_url" {
  description = "Where the functions are, each under its name."
  value       = local.functions_base_url
}

output "public_functions" {
  description = "Functions that vendors and browsers call."
  value       = sort([for name, manifest in local.manifests : name if manifest.public])
}

output "secrets" {
  description = "Secrets that need a version, added by a person, before the functions that read them start."
  value       = sort(local.used.secrets)
}

output "bundles" {
  description = "What each function is built from, to go back to."
  value       = { for name, function in module.function : name => function.object }
}

output "gmail_topic" {
  value = google_pubsub_topic.of["gmail-push"].id
}
