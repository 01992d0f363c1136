# One environment per project. Gmail keeps one watch per mailbox and project, and Firestore's "(default)" database is one
# as well: a second environment would take over the first one's watches and write into its records.
#
# Each environment leaves a mark beside the state, in the one bucket every deploy of this project must name.

locals {
  state_bucket = "${var.project_id}-throughline-state"
  mark         = "environments/${var.environment}"
}

data "google_storage_bucket_objects" "environments" {
  bucket = local.state_bucket
  prefix = "environments/"
}

resource "google_storage_bucket_object" "environment" {
  bucket  = local.state_bucket
  name    = local.mark
  content = "Project ${var.project_id} belongs to the environment ${var.environment}.\n"

  lifecycle {
    precondition {
      condition     = alltrue([for found in data.google_storage_bucket_objects.environments.bucket_objects : found.name == local.mark])
      error_message = <<-EOT
        Project ${var.project_id} already belongs to another environment (${join(", ", [for found in data.google_storage_bucket_objects.environments.bucket_objects : basename(found.name)])}).
        Gmail keeps one watch per mailbox and project, so two environments in one project would take each other's mail,
        and both would write to one database. Give ${var.environment} a project of its own.
      EOT
    }
  }
}
