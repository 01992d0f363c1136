environment    = "production"
keeps_data     = true
keeps_warm     = true
alerts         = true
monthly_budget = 1000
