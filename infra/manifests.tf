# The factory's input: every functions/*/function.yaml. A new folder is deployed without a line here.

locals {
  root      = "${path.root}/.."
  manifests = { for file in fileset("${local.root}/functions", "*/function.yaml") : dirname(file) => yamldecode(file("${local.root}/functions/${file}")) }

  by_trigger = { for trigger in ["http", "push", "task", "schedule"] : trigger => toset([for name, manifest in local.manifests : name if manifest.trigger == trigger]) }

  used = { for kind in ["queues", "topics", "secrets", "buckets", "keys"] : kind => toset(flatten([for manifest in values(local.manifests) : try(manifest.uses[kind], [])])) }

  queues      = { for name in local.by_trigger.task : local.manifests[name].queue => name }
  push_topics = { for name in local.by_trigger.push : name => local.manifests[name].topic }
  topics      = setunion(local.used.topics, values(local.push_topics), flatten([for manifest in values(local.manifests) : manifest.publishes]), [local.dead_letter_topic])

  dead_letter_topic = "dead-letter"

  # Cloud names take "-" where Python takes "_".
  cloud_names = { for name in keys(local.manifests) : name => replace(name, "_", "-") }
}
