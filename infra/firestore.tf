# The database, and everything firestore.indexes.json and firestore.rules say about it.

locals {
  firestore = jsondecode(file("${local.root}/firestore.indexes.json"))

  indexes = { for index in local.firestore.indexes : join("/", concat([index.collectionGroup, index.queryScope], [for field in index.fields : "${field.fieldPath}:${try(field.order, field.arrayConfig)}"])) => index }
  fields  = { for field in local.firestore.fieldOverrides : "${field.collectionGroup}/${field.fieldPath}" => field }
}

resource "google_firestore_database" "main" {
  name        = "(default)" # the one the clients open
  location_id = var.region
  type        = "FIRESTORE_NATIVE"

  # Seven days to go back to, minute by minute, after a mistake.
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.keeps_data ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.keeps_data ? "ABANDON" : "DELETE"

  depends_on = [google_project_service.used]

  lifecycle {
    prevent_destroy = true # its location cannot be changed, and a new one would be empty
  }
}

resource "google_firestore_backup_schedule" "daily" {
  database  = google_firestore_database.main.name
  retention = "604800s" # 7 days

  daily_recurrence {}
}

resource "google_firestore_backup_schedule" "weekly" {
  database  = google_firestore_database.main.name
  retention = "2419200s" # 4 weeks; each copy is billed as storage

  weekly_recurrence {
    day = "SUNDAY"
  }
}

resource "google_firestore_index" "of" {
  for_each = local.indexes

  database    = google_firestore_database.main.name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)
    }
  }
}

# An override without indexes exempts the field: bodies, maps and sealed texts are never asked for.
resource "google_firestore_field" "of" {
  for_each = local.fields

  database   = google_firestore_database.main.name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes
      content {
        query_scope  = indexes.value.queryScope
        order        = try(indexes.value.order, null)
        array_config = try(indexes.value.arrayConfig, null)
      }
    }
  }

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [1] : []
    content {}
  }
}

resource "google_firebaserules_ruleset" "firestore" {
  source {
    files {
      name    = "firestore.rules"
      content = file("${local.root}/firestore.rules")
    }
  }

  depends_on = [google_firestore_database.main]

  lifecycle {
    create_before_destroy = true # the release never points at nothing
  }
}

resource "google_firebaserules_release" "firestore" {
  name         = "cloud.firestore"
  ruleset_name = google_firebaserules_ruleset.firestore.name
}
