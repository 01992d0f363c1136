terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  # The bucket is named on the command line (-backend-config=bucket=...): it is made before anything else in the project.
  backend "gcs" {
    prefix = "throughline"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  # Identity Platform and budgets count a person's own calls against a project; this one.
  user_project_override = true
  billing_project       = var.project_id
}

data "google_project" "this" {
  project_id = var.project_id
}
