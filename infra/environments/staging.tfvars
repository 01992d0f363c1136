# A place to try a release: cheap while idle, and gone with its project when it is no longer wanted.
environment    = "staging"
keeps_data     = false
keeps_warm     = false
alerts         = false
monthly_budget = 50
