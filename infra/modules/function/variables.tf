variable "name" {
  description = "Folder of the function, which is also its entry point."
  type        = string
}

variable "manifest" {
  description = "Its function.yaml, decoded."
  type        = any
}

variable "project_id" {
  type = string
}

variable "region" {
  type = string
}

variable "bundle" {
  description = "Its zip."
  type        = string
}

variable "bundles_bucket" {
  type = string
}

variable "images" {
  description = "Full name of the Docker repository its image goes to."
  type        = string
}

variable "builder" {
  description = "Full name of the account that builds the image."
  type        = string
}

variable "caller" {
  description = "The account whose token tasks, pushes and jobs carry."
  type        = object({ name = string, email = string, member = string })
}

variable "environment_variables" {
  type = map(string)
}

variable "keeps_warm" {
  type = bool
}

variable "keys" {
  description = "Full names of the KMS keys, by the names function.yaml uses."
  type        = map(string)
}

variable "buckets" {
  description = "Names of the buckets, by the names function.yaml uses."
  type        = map(string)
}

variable "subscriptions" {
  description = "Names of the push subscriptions of each topic."
  type        = map(list(string))
}
