# Who may sign in: people an administrator invited. Their tokens name tenant, role and teams.

resource "google_identity_platform_config" "main" {
  autodelete_anonymous_users = true
  authorized_domains         = [for url in compact([var.web_url, var.public_base_url]) : trimprefix(url, "https://")]

  sign_in {
    allow_duplicate_emails = false

    email {
      enabled           = true
      password_required = false # a link by mail
    }
    anonymous {
      enabled = false
    }
  }

  client {
    permissions {
      disabled_user_signup   = true # nobody makes an account by themselves
      disabled_user_deletion = true # nor takes one away: that is the administrators' part
    }
  }

  mfa {
    state = "ENABLED"
    provider_configs {
      state = "ENABLED"
      totp_provider_config {
        adjacent_intervals = 1
      }
    }
  }

  depends_on = [google_project_service.used]
}
