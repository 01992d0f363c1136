variable "project_id" {
  description = "The Google Cloud project everything is put in. One environment per project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is the project's id: 6 to 30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "Where everything lies and runs. Firestore's location can never be changed afterwards."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "region is one Google Cloud region, such as europe-west1: functions, queues and Firestore lie in the same place."
  }
}

variable "environment" {
  description = "Which environment this is; set by environments/*.tfvars."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{3,12}$", var.environment))
    error_message = "environment is one lower-case word, such as staging."
  }
}

variable "bundles" {
  description = "Folder with one <function>.zip for each folder of functions/, as `make bundles` leaves them."
  type        = string
  default     = "../build/bundles"
}

variable "alert_emails" {
  description = "Who is told when an alert fires. In an environment that alerts, somebody must be."
  type        = set(string)
  default     = []
}

variable "billing_account" {
  description = "Id of the billing account, for the budget alert; empty where the deployer may not see it."
  type        = string
  default     = ""
}

variable "monthly_budget" {
  description = "What a month may cost before somebody is told, in whole units of the billing account's currency."
  type        = number
}

variable "public_base_url" {
  description = "Where vendors and browsers reach the functions, if a domain of yours leads to them; else Google's address."
  type        = string
  default     = ""

  validation {
    condition     = var.public_base_url == "" || can(regex("^https://[a-z0-9.-]+$", var.public_base_url))
    error_message = "public_base_url begins with https:// and ends with the domain: vendors refuse anything else."
  }
}

variable "web_url" {
  description = "Where the web front end lives; empty while there is none."
  type        = string
  default     = ""

  validation {
    condition     = var.web_url == "" || can(regex("^https://[a-z0-9.-]+$", var.web_url))
    error_message = "web_url begins with https:// and ends with the domain."
  }
}

variable "keeps_data" {
  description = "Whether Firestore refuses to be deleted and buckets refuse to go while something lies in them."
  type        = bool
}

variable "keeps_warm" {
  description = "Whether functions keep the idle instances their function.yaml asks for. Without, first answers are slow."
  type        = bool
}

variable "alerts" {
  description = "Whether alert policies and uptime checks are on."
  type        = bool
}

variable "gmail_quota_units_per_minute" {
  description = "Gmail's quota units for one user of this project and minute, as the project's quota page shows it."
  type        = number
  default     = 6000
}

variable "netsuite_calls_at_once" {
  description = "How many calls one NetSuite account takes at once: its governance limit less what others use."
  type        = number
  default     = 4
}
