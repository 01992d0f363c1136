output "account" {
  description = "Email of its own account."
  value       = google_service_account.own.email
}

output "object" {
  description = "The bundle it is built from, named by its content."
  value       = google_storage_bucket_object.bundle.name
}
